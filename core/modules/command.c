/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../runtime/fd.h"
#include "../runtime/guard.h"
#include "../runtime/mem.h"
#include "../runtime/misuse.h"
#include "../runtime/secretlist.h"
#include "../runtime/session.h"
#include "../runtime/testing.h"

#define DEFAULT_TIMEOUT SPK_SECONDS(60)
#define DEFAULT_OUTPUT_LIMIT (16U << 20)
#define KILL_GRACE SPK_SECONDS(2)
#define SYSTEM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The size in version 1.0, which stays when the structure grows. */
#define COMMAND_1_0 SIZE_UP_TO(struct spk_command, output_limit)

/* A command on its way: everything that must be ended when an error passes by. */
struct process {
	struct spk_command how;
	pid_t pid; /* 0: none; its process group has the same number */
	int pidfd;
	int in, out, err; /* our ends; -1: closed */
	struct buf out_bytes, err_bytes;
	size_t written; /* of the input */
};

/* Ends what is still there of the process group, and collects the leader. */
static void process_end(struct process *process)
{
	if (process->pid > 0) {
		kill(-process->pid, SIGKILL);
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	process->pid = 0;
	fd_close(&process->pidfd);
	fd_close(&process->in);
	fd_close(&process->out);
	fd_close(&process->err);
	buf_free(&process->out_bytes);
	buf_free(&process->err_bytes);
}

/* What the child says when it cannot become the command. */
struct refusal {
	bool directory; /* it was chdir() that failed */
	int number;     /* errno; 0: nothing failed */
};

/* The child's ends, until they are handed over. */
struct far_ends {
	int in, out, err, report;
};

/* What the child is to become; each a vector that ends in NULL. */
struct program {
	char **places; /* where it may be, in the order of the search */
	char **argv;
	char **environment;
};

/* ---- in the child, between fork and exec: only calls that are safe there ---- */

static void refuse(int report, bool directory)
{
	struct refusal refusal = {.directory = directory, .number = errno};
	ssize_t ignored = write(report, &refusal, sizeof(refusal));

	(void)ignored;
	_exit(127);
}

/*
 * As execvpe() does it, but for two things: that would search the PATH of this process, which is
 * the operator's, and would have a shell read a file that is no program.
 */
static void search_and_exec(const struct program *program)
{
	bool denied = false;

	for (char **place = program->places; *place; place++) {
		execve(*place, program->argv, program->environment);
		if (errno == EACCES)
			denied = true;
		else if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE &&
			 errno != ENODEV && errno != ETIMEDOUT)
			return;
	}
	if (denied)
		errno = EACCES;
}

static void child_exec(const struct process *process, const struct far_ends *far,
		       const struct program *program)
{
	sigset_t none;

	/* All of them have numbers above 2, so none is overwritten before it is used. */
	if (dup2(far->in, STDIN_FILENO) < 0 || dup2(far->out, STDOUT_FILENO) < 0 ||
	    dup2(far->err, STDERR_FILENO) < 0)
		refuse(far->report, false);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* What a library has opened, such as a connection that somebody is logged in with. */
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	if (chdir(process->how.directory ? process->how.directory : "/") < 0)
		refuse(far->report, true);
	search_and_exec(program);
	refuse(far->report, false);
}

/* ---- what the child is to become ---- */

static char **vector_of(struct spk *spk, spk_strings texts)
{
	char **vector = spk_alloc(spk, (texts.count + 1) * sizeof(*vector));

	for (size_t i = 0; i < texts.count; i++)
		vector[i] = (char *)(uintptr_t)texts.items[i];
	return vector;
}

/* Only what a command needs to find its way; the operator's environment stays outside. */
static spk_strings build_environment(struct spk *spk, spk_strings more)
{
	const struct passwd *user = getpwuid(geteuid());
	spk_strings base = {0}, all = {0};

	spk_append(spk, &base,
		   spk_format(spk, "PATH=%s%s%s", testing_now() ? testing_now()->programs : "",
			      testing_now() ? ":" : "", SYSTEM_PATH));
	spk_append(spk, &base, spk_format(spk, "HOME=%s", user ? user->pw_dir : "/"));
	spk_append(spk, &base, spk_format(spk, "USER=%s", user ? user->pw_name : ""));
	spk_append(spk, &base, spk_format(spk, "LOGNAME=%s", user ? user->pw_name : ""));
	spk_append(spk, &base, "LANG=C.UTF-8");
	spk_append(spk, &base, "TERM=dumb");
	for (size_t i = 0; i < more.count; i++) {
		if (!more.items[i] || !strchr(more.items[i], '='))
			session_misuse("spk_command_run",
				       "the environment holds '%s' instead of NAME=VALUE",
				       more.items[i] ? more.items[i] : "NULL");
		spk_append(spk, &all, more.items[i]);
	}
	for (size_t i = 0; i < base.count; i++) {
		size_t name = (size_t)(strchr(base.items[i], '=') - base.items[i]) + 1;
		bool replaced = false;

		for (size_t j = 0; j < more.count; j++)
			replaced = replaced || strncmp(more.items[j], base.items[i], name) == 0;
		if (!replaced)
			spk_append(spk, &all, base.items[i]);
	}
	return all;
}

/* Where the PATH that it will see itself says that it may be. */
static spk_strings find_places(struct spk *spk, const char *name, spk_strings environment)
{
	const char *path = NULL;
	spk_strings places = {0};

	if (strchr(name, '/')) {
		spk_append(spk, &places, name);
		return places;
	}
	for (size_t i = 0; !path && i < environment.count; i++)
		if (strncmp(environment.items[i], "PATH=", 5) == 0)
			path = environment.items[i] + 5;
	for (const char *end; path; path = *end ? end + 1 : NULL) {
		end = path + strcspn(path, ":");
		spk_append(spk, &places,
			   spk_format(spk, "%.*s%s%s", (int)(end - path), path,
				      end > path ? "/" : "", name));
	}
	return places;
}

/* ---- start ---- */

static int make_ends(struct process *process, struct far_ends *far, int *report, struct err *err)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1}, words[2] = {-1, -1};
	int rc = fd_pipe(in, err);

	if (rc == 0)
		rc = fd_pipe(out, err);
	if (rc == 0)
		rc = fd_pipe(errors, err);
	if (rc == 0)
		rc = fd_pipe(words, err);
	process->in = in[1];
	process->out = out[0];
	process->err = errors[0];
	if (rc == 0)
		rc = fd_set_nonblocking(process->in, err);
	if (rc == 0)
		rc = fd_set_nonblocking(process->out, err);
	if (rc == 0)
		rc = fd_set_nonblocking(process->err, err);
	*report = words[0];
	*far = (struct far_ends){.in = in[0], .out = out[1], .err = errors[1], .report = words[1]};
	return rc;
}

/* Waits for the exec to succeed (the pipe closes) or to say why it did not. */
static struct refusal read_refusal(int report)
{
	struct refusal refusal;
	ssize_t got;

	do
		got = read(report, &refusal, sizeof(refusal));
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof(refusal) ? refusal : (struct refusal){0};
}

static struct refusal start_child(struct process *process, const struct far_ends *far,
				  const struct program *program)
{
	fflush(stdout);
	fflush(stderr);
	process->pid = fork();
	if (process->pid == 0) {
		child_exec(process, far, program);
	} else if (process->pid < 0) {
		process->pid = 0;
		return (struct refusal){.number = errno};
	}
	/* Here, too: whoever of the two comes first. */
	setpgid(process->pid, process->pid);
	process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	/* Without it nothing would tell that the command has ended. */
	if (process->pidfd < 0)
		return (struct refusal){.number = errno};
	return (struct refusal){0};
}

static void start(struct spk *spk, struct process *process)
{
	const char *name = process->how.argv.items[0];
	spk_strings environment = build_environment(spk, process->how.environment);
	const struct program program = {
		.places = vector_of(spk, find_places(spk, name, environment)),
		.argv = vector_of(spk, process->how.argv),
		.environment = vector_of(spk, environment),
	};
	struct refusal refusal = {0};
	struct far_ends far;
	struct err err;
	int report, rc;

	rc = make_ends(process, &far, &report, &err);
	if (rc == 0)
		refusal = start_child(process, &far, &program);
	fd_close(&far.in);
	fd_close(&far.out);
	fd_close(&far.err);
	fd_close(&far.report);
	if (rc == 0 && refusal.number == 0)
		refusal = read_refusal(report);
	fd_close(&report);
	if (rc < 0)
		spk_raise(spk, "command.failed", NULL, "cannot run '%s': %s", name, err.text);
	if (refusal.directory)
		spk_raise(spk, "command.failed", NULL, "cannot run '%s' in '%s': %s", name,
			  process->how.directory, strerrordesc_np(refusal.number));
	if (refusal.number == ENOENT)
		spk_raise(spk, "command.missing", NULL, "cannot run '%s': there is no such program",
			  name);
	if (refusal.number)
		spk_raise(spk, "command.failed", NULL, "cannot run '%s': %s", name,
			  strerrordesc_np(refusal.number));
}

/* ---- its life ---- */

static void feed(struct process *process)
{
	const char *input = process->how.input ? process->how.input : "";
	size_t left = strlen(input) - process->written;
	ssize_t put = left ? write(process->in, input + process->written, left) : 0;

	if (put > 0)
		process->written += (size_t)put;
	/* A command that does not read its input to the end is not in error for that. */
	if ((put < 0 && errno != EAGAIN && errno != EINTR) || process->written == strlen(input))
		fd_close(&process->in);
}

static void collect(struct spk *spk, struct process *process, int *fd, struct buf *into)
{
	char bytes[65536];
	ssize_t got = read(*fd, bytes, sizeof(bytes));

	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		fd_close(fd);
	if (got <= 0)
		return;
	buf_add(into, bytes, (size_t)got);
	/* It may be a secret, and a core dump shows the stack. */
	explicit_bzero(bytes, (size_t)got);
	if (into->length > process->how.output_limit)
		spk_raise(spk, "command.output", NULL, "command '%s' wrote more than %zu bytes",
			  spk_shell_join(spk, process->how.argv), process->how.output_limit);
}

/*
 * True when the leader has ended, also when somebody else has waited for it; what others hold of
 * its pipes is not waited for.
 */
static bool ended(const struct process *process)
{
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return errno == ECHILD;
	return info.si_pid == process->pid;
}

static void drain(struct spk *spk, struct process *process)
{
	while (process->out >= 0 || process->err >= 0) {
		size_t before = process->out_bytes.length + process->err_bytes.length;

		if (process->out >= 0)
			collect(spk, process, &process->out, &process->out_bytes);
		if (process->err >= 0)
			collect(spk, process, &process->err, &process->err_bytes);
		if (before == process->out_bytes.length + process->err_bytes.length)
			break;
	}
}

/* Asks it to end, waits a little, and makes it. */
static void terminate(struct spk *spk, struct process *process)
{
	struct pollfd end = {.fd = process->pidfd, .events = POLLIN};

	kill(-process->pid, SIGTERM);
	spk->uninterruptible++;
	session_poll(spk, &end, 1, spk_uptime().ns + KILL_GRACE.ns);
	spk->uninterruptible--;
}

static void attend(struct spk *spk, struct process *process, int64_t deadline)
{
	while (!ended(process)) {
		struct pollfd fds[4] = {
			{.fd = process->pidfd, .events = POLLIN},
			{.fd = process->in, .events = POLLOUT},
			{.fd = process->out, .events = POLLIN},
			{.fd = process->err, .events = POLLIN},
		};

		/* One that never stops printing is late all the same. */
		if (session_poll(spk, fds, 4, deadline) == 0 ||
		    (spk_uptime().ns >= deadline && !ended(process)))
			spk_raise(spk, "command.timeout", NULL,
				  "command '%s' did not end within %s",
				  spk_shell_join(spk, process->how.argv),
				  spk_duration_text(spk, process->how.timeout));
		if (fds[1].revents)
			feed(process);
		if (fds[2].revents)
			collect(spk, process, &process->out, &process->out_bytes);
		if (fds[3].revents)
			collect(spk, process, &process->err, &process->err_bytes);
	}
	drain(spk, process);
}

/* ---- the result ---- */

static const char *keep(struct spk *spk, const struct buf *bytes)
{
	char *copy = spk_alloc(spk, bytes->length + 1);

	memcpy(copy, buf_text(bytes), bytes->length);
	return copy;
}

static void settle(struct spk *spk, struct process *process, struct spk_result *result)
{
	int status = 0;
	pid_t pid;

	/* Whatever it left in its group goes with it; before the number may be another's. */
	kill(-process->pid, SIGKILL);
	while ((pid = waitpid(process->pid, &status, 0)) < 0 && errno == EINTR)
		;
	process->pid = 0;
	if (pid < 0)
		spk_raise(spk, "command.failed", NULL,
			  "nobody knows how command '%s' ended: another thread of the cookbook has "
			  "waited for it",
			  spk_shell_join(spk, process->how.argv));
	result->ran = true;
	result->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	result->out = keep(spk, &process->out_bytes);
	result->out_length = process->out_bytes.length;
	result->err = keep(spk, &process->err_bytes);
	result->err_length = process->err_bytes.length;
}

static bool accepted(const struct spk_command *how, const struct spk_result *result)
{
	if (result->signal)
		return false;
	if (how->accepted.count == 0)
		return result->exit_code == 0;
	for (size_t i = 0; i < how->accepted.count; i++)
		if (how->accepted.items[i] == result->exit_code)
			return true;
	return false;
}

/* The last line that says something, for the message of a failure. */
static const char *last_words(struct spk *spk, const struct spk_result *result)
{
	spk_strings lines = spk_lines(spk, spk_trim(spk, result->err));

	return lines.count ? spk_format(spk, ": %s", lines.items[lines.count - 1]) : "";
}

static void judge(struct spk *spk, const struct spk_command *how, const struct spk_result *result)
{
	const char *line = spk_shell_join(spk, how->argv);

	if (result->signal)
		spk_debug(spk, "command '%s' was ended by signal %d after %s", line, result->signal,
			  spk_duration_text(spk, result->took));
	else
		spk_debug(spk, "command '%s' exited with code %d after %s", line, result->exit_code,
			  spk_duration_text(spk, result->took));
	if (accepted(how, result))
		return;
	if (result->signal)
		spk_raise_with(spk, "command.failed", NULL, result,
			       "command '%s' was ended by signal %d (SIG%s)%s", line,
			       result->signal,
			       sigabbrev_np(result->signal) ? sigabbrev_np(result->signal) : "?",
			       last_words(spk, result));
	spk_raise_with(spk, "command.failed", NULL, result,
		       "command '%s' failed with exit code %d%s", line, result->exit_code,
		       last_words(spk, result));
}

/* Everybody on this host can read the words of a command, and its user the environment. */
static void refuse_secrets(const char *what, spk_strings words)
{
	for (size_t i = 0; i < words.count; i++)
		if (words.items[i] && secretlist_is_in(words.items[i]))
			session_misuse("spk_command_run",
				       "%s %zu (counted from 0) of the command holds a secret: "
				       "hand it over in .input or in a file",
				       what, i);
}

/* The command as the caller wants it, with defaults. */
static struct spk_command checked(const struct spk_command *given)
{
	struct spk_command how;

	CHECK_GIVEN(given);
	adopt_structure("spk_command_run", "command", "SPK_COMMAND", given, &how, sizeof(how),
			COMMAND_1_0);
	if (how.argv.count == 0)
		session_misuse("spk_command_run", "the argument vector is empty");
	for (size_t i = 0; i < how.argv.count; i++)
		if (!how.argv.items[i] || (i == 0 && !*how.argv.items[i]))
			session_misuse("spk_command_run", "word %zu of the command is empty", i);
	refuse_secrets("word", how.argv);
	refuse_secrets("environment entry", how.environment);
	if (how.timeout.ns < 0)
		session_misuse("spk_command_run", "the timeout is negative");
	if (how.timeout.ns == 0)
		how.timeout = DEFAULT_TIMEOUT;
	if (how.output_limit == 0)
		how.output_limit = DEFAULT_OUTPUT_LIMIT;
	return how;
}

struct execution {
	struct process process;
	struct spk_result *result;
};

static void run_to_end(struct spk *spk, void *argument)
{
	struct execution *execution = argument;
	struct process *process = &execution->process;
	int64_t begin = spk_uptime().ns;
	int64_t deadline = session_deadline(process->how.timeout);

	start(spk, process);
	attend(spk, process, deadline);
	settle(spk, process, execution->result);
	execution->result->took = SPK_NANOSECONDS(spk_uptime().ns - begin);
}

static const struct spk_result *execute(struct spk *spk, const struct spk_command *how)
{
	struct execution execution = {
		.process = {.how = *how, .pidfd = -1, .in = -1, .out = -1, .err = -1},
		.result = SPK_NEW(spk, struct spk_result),
	};
	const struct sigaction standard = {.sa_handler = SIG_DFL};
	const struct spk_error *error;
	struct sigaction before = standard;

	if (testing_step(spk, true, "command '%s' here", how->argv.items[0]))
		spk_raise(spk, "command.failed", NULL, "cannot run '%s': the test has it fail",
			  how->argv.items[0]);
	session_check_interrupt(spk);
	/* A cookbook that ignores its children, or collects them all, is not to lose this one. */
	sigaction(SIGCHLD, &standard, &before);
	/* Descriptors and buffers are this process's own: ended here on every way out. */
	error = guard_call(spk, run_to_end, &execution, false);
	if (error && execution.process.pid > 0)
		terminate(spk, &execution.process);
	process_end(&execution.process);
	sigaction(SIGCHLD, &before, NULL);
	if (error)
		guard_raise(spk, error);
	judge(spk, how, execution.result);
	return execution.result;
}

const struct spk_result *spk_command_read(struct spk *spk, const struct spk_command *command)
{
	struct spk_command how;

	CHECK_SPK(spk);
	how = checked(command);
	session_did_read(spk, "command '%s'", spk_shell_join(spk, how.argv));
	return execute(spk, &how);
}

const struct spk_result *spk_command_run(struct spk *spk, const struct spk_command *command)
{
	struct spk_result *not_run;
	struct spk_command how;

	CHECK_SPK(spk);
	how = checked(command);
	if (session_may_write(spk, "run command '%s'", spk_shell_join(spk, how.argv)))
		return execute(spk, &how);
	session_cannot_know(spk, "what command '%s' would have said",
			    spk_shell_join(spk, how.argv));
	not_run = SPK_NEW(spk, struct spk_result);
	not_run->out = not_run->err = "";
	return not_run;
}
