/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run of a test: a process of its own is the supervisor, as `cookbook` is it, and its runner is
 * another copy of the test, which calls the library that the cookbook is linked to.
 */
#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "../host/run/outcome.h"
#include "../host/run/run.h"
#include "../runtime/mem.h"
#include "../runtime/shell.h"
#include "../runtime/testing.h"

#define LIBRARY "libspicerack.so.1"

static int supervise(const struct spk_test *test, spk_strings words)
{
	char *file = xasprintf("%s/spicerack.cfg", test->directory);
	char *answers_file = xasprintf("%s/answers.cfg", test->directory);
	const struct settings_source source = {.file = file};
	struct identity identity;
	struct run_options options = {.identity = &identity, .dry_run = test->dry_run};
	struct settings *settings;
	struct tree_found found;
	struct err err;

	if (settings_read(&source, &settings, &err) < 0 ||
	    answers_read(answers_file, false, &options.answers, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_STARTUP;
	}
	options.settings = settings;
	if (tree_find(settings_strings(settings, "cookbooks_base_dirs"), test->cookbook, stderr,
		      &found) != TREE_FOUND) {
		fprintf(stderr, "there is no cookbook '%s' in %s\n", test->cookbook, test->tree);
		return EXIT_NO_COOKBOOK;
	}
	identity_fill(&identity);
	return run_cookbook(&options, &found, (int)words.count,
			    (char *const *)(uintptr_t)words.items, NULL);
}

/* The one that the cookbook gets, which is another copy than ours. */
static void *of_library(const char *name)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_NOLOAD);
	void *function = library ? dlsym(library, name) : NULL;

	if (!function)
		test_give_up("this program is not linked to the " LIBRARY
			     " that belongs to the test kit: it has no %s",
			     name);
	return function;
}

static void redirect(const struct spk_test *test, int fd, const char *name, int flags)
{
	char *path = xasprintf("%s%s%s", *name == '/' ? "" : test->directory,
			       *name == '/' ? "" : "/", name);
	int file = open(path, flags | O_CLOEXEC, 0600);

	if (file < 0 || dup2(file, fd) < 0)
		test_give_up("cannot open '%s': %s", path, strerrordesc_np(errno));
	free(path);
}

static void settle_in(struct spk_test *test, pid_t parent)
{
	static struct testing testing;
	char *programs = xasprintf("%s/programs", test->directory);
	void (*begin)(const struct testing *) = of_library("spk_private_testing_begin");
	sigset_t none;

	/* No terminal: nobody is asked but the test. */
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	for (int number = 1; number < SIGRTMIN; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	redirect(test, STDIN_FILENO, "/dev/null", O_RDONLY);
	redirect(test, STDOUT_FILENO, "stdout", O_WRONLY | O_CREAT | O_TRUNC);
	redirect(test, STDERR_FILENO, "stderr", O_WRONLY | O_CREAT | O_TRUNC);
	test->world->supervisor = getpid();
	world_set_here(test->world);
	world_ask_undoing((bool (*)(void))of_library("spk_private_testing_is_undoing"));
	testing = (struct testing){
		.drivers = test->drivers,
		.ahead_ns = &test->world->ahead_ns,
		.programs = programs,
		.runner = (int (*)(void))of_library("spk_private_runner_main"),
		.step = world_step,
	};
	spk_private_testing_begin(&testing);
	begin(&testing);
}

/* True: it has ended, and *ret_status says how. Not by a pidfd, which valgrind does not know. */
static bool await_end(pid_t pid, spk_duration limit, int *ret_status)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int64_t deadline = spk_uptime().ns + limit.ns;
	pid_t got;

	while ((got = waitpid(pid, ret_status, WNOHANG)) == 0 && spk_uptime().ns < deadline)
		nanosleep(&pause, NULL);
	return got == pid;
}

int conduct(struct spk_test *test, const char *arguments)
{
	pid_t parent = getpid(), pid;
	spk_strings words;
	int status = 0;
	bool ended;

	if (shell_split(arguments, &words) < 0)
		test_give_up("a quote is not closed in the arguments: %s", arguments);
	test->world->steps = 0;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		test_give_up("cannot start a process: %s", strerrordesc_np(errno));
	if (pid == 0) {
		settle_in(test, parent);
		status = supervise(test, words);
		fflush(NULL);
		_exit(status);
	}
	free((void *)(uintptr_t)words.items);
	ended = await_end(pid, test->limit, &status);
	if (ended)
		return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return -1;
}
