/* SPDX-License-Identifier: Apache-2.0 */
#include "runnerstart.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../runtime/driver.h"
#include "../../runtime/fd.h"
#include "../../runtime/testing.h"

/* The child's ends of everything, until they are handed over. */
struct far_ends {
	int control, requests, interrupt, out, err;
};

/* What the runner gets of the locks; returns the first descriptor that it does not get. */
static int add_locks(posix_spawn_file_actions_t *actions, const struct link_locks *locks)
{
	int first = RUNNER_INTERRUPT_FD + 1;

	if (locks && locks->lease_fd >= 0) {
		posix_spawn_file_actions_adddup2(actions, locks->lease_fd, RUNNER_LEASE_FD);
		first = RUNNER_LEASE_FD + 1;
	}
	if (locks && locks->lease_fd >= 0 && locks->life_fd >= 0) {
		posix_spawn_file_actions_adddup2(actions, locks->life_fd, RUNNER_LIFE_FD);
		first = RUNNER_LIFE_FD + 1;
	}
	return first;
}

/* In a test: a copy of this process, which knows what the test has set up, is the runner. */
static int fork_runner(struct link *link, const struct far_ends *far, struct err *err)
{
	const struct link_locks *locks = link->locks;
	bool leased = locks && locks->lease_fd >= 0;
	const int ends[][2] = {
		{open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO},
		{far->out, STDOUT_FILENO},
		{far->err, STDERR_FILENO},
		{far->control, RUNNER_CONTROL_FD},
		{far->requests, RUNNER_REQUESTS_FD},
		{far->interrupt, RUNNER_INTERRUPT_FD},
		{leased ? locks->lease_fd : -1, RUNNER_LEASE_FD},
		{leased ? locks->life_fd : -1, RUNNER_LIFE_FD},
	};
	pid_t pid;

	driver_hold();
	pid = fork();
	driver_release();
	if (pid == 0) {
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
			close(ends[i][1]);
			if (ends[i][0] >= 0 && dup2(ends[i][0], ends[i][1]) < 0)
				_exit(1);
		}
		close_range(RUNNER_LIFE_FD + 1, ~0U, 0);
		_exit(testing_now()->runner());
	}
	close(ends[0][0]);
	link->runner = pid > 0 ? pid : 0;
	return pid > 0 ? 0 : err_errno(err, "cannot start a runner");
}

static int spawn_runner(struct link *link, const char *runner, const struct far_ends *far,
			struct err *err)
{
	char *argv[] = {(char *)(uintptr_t)runner, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all;
	int rc;

	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, far->out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, far->err, STDERR_FILENO);
	posix_spawn_file_actions_adddup2(&actions, far->control, RUNNER_CONTROL_FD);
	posix_spawn_file_actions_adddup2(&actions, far->requests, RUNNER_REQUESTS_FD);
	posix_spawn_file_actions_adddup2(&actions, far->interrupt, RUNNER_INTERRUPT_FD);
	/* Whoever started us may have left descriptors open: none of them is the cookbook's. */
	posix_spawn_file_actions_addclosefrom_np(&actions, add_locks(&actions, link->locks));
	posix_spawnattr_init(&attributes);
	/* Till it ignores them itself: in our session, in our cgroup, it would be hit as we are. */
	posix_spawnattr_setsigmask(&attributes, &all);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(&link->runner, runner, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (rc != 0) {
		link->runner = 0;
		errno = rc;
		return err_errno(err, "cannot start %s", runner);
	}
	return 0;
}

static int make_ends(struct link *link, struct far_ends *far, struct err *err)
{
	int ends[2];

	if (channel_pair(ends, err) < 0)
		return -1;
	link->control.fd = ends[0];
	far->control = ends[1];
	if (channel_pair(ends, err) < 0)
		return -1;
	link->requests.fd = ends[0];
	far->requests = ends[1];
	if (fd_pipe(ends, err) < 0)
		return -1;
	link->output.out_fd = ends[0];
	far->out = ends[1];
	if (fd_pipe(ends, err) < 0)
		return -1;
	link->output.err_fd = ends[0];
	far->err = ends[1];
	if (fd_set_nonblocking(link->output.out_fd, err) < 0 ||
	    fd_set_nonblocking(link->output.err_fd, err) < 0)
		return -1;
	link->interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (link->interrupt_fd < 0)
		return err_errno(err, "cannot make an event");
	far->interrupt = dup(link->interrupt_fd);
	return far->interrupt < 0 ? err_errno(err, "cannot copy a descriptor")
				  : fd_move_up(&far->interrupt, err);
}

int runner_start(struct link *link, const char *runner, struct err *err)
{
	struct far_ends far = {-1, -1, -1, -1, -1};
	int rc = make_ends(link, &far, err);

	if (rc == 0)
		rc = testing_now() ? fork_runner(link, &far, err)
				   : spawn_runner(link, runner, &far, err);
	fd_close(&far.control);
	fd_close(&far.requests);
	fd_close(&far.interrupt);
	fd_close(&far.out);
	fd_close(&far.err);
	return rc;
}
