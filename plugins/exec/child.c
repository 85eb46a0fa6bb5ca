/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/call.h"
#include "../base/file.h"
#include "../base/memory.h"

/* Of standard error, for the reason. */
#define COMPLAINT_MAX 160
#define PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct child {
	pid_t pid;
	int pidfd;
	int out, err; /* to read from; -1: at its end */
	int error;    /* errno of exec, told before anything else; 0: it runs */
	int told;     /* to read that from; -1: it was */
	char complaint[COMPLAINT_MAX + 1];
	size_t complaint_length;
	struct text *answer;
	size_t limit;
};

/* ---- the child's side ---- */

static const char *const passed[] = {"HOME", "LANG", "LC_ALL", "LOGNAME", "TZ", "USER"};

#define PASSED (sizeof(passed) / sizeof(passed[0]))

/* The environment, which the caller frees with its texts. */
static char **environment(void)
{
	char **variables = memory_new(PASSED + 2, sizeof(variables[0]));
	size_t count = 0;

	variables[count++] = memory_copy("PATH=" PATH);
	for (size_t i = 0; i < PASSED; i++) {
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables meanwhile */
		const char *value = getenv(passed[i]);
		struct text variable = {0};

		if (!value)
			continue;
		text_printf(&variable, "%s=%s", passed[i], value);
		variables[count++] = memory_copy(variable.bytes);
		text_free(&variable);
	}
	return variables;
}

/* Between fork() and exec: nothing that takes a lock. */
static void become(char *const *argv, char *const *variables, const int out[2], const int err[2],
		   int told, pid_t parent)
{
	struct sigaction normal = {.sa_handler = SIG_DFL};
	int input = open("/dev/null", O_RDONLY);
	ssize_t ignored;
	sigset_t none;

	sigemptyset(&none);
	for (int number = 1; number < NSIG; number++)
		sigaction(number, &normal, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (input < 0 || dup2(input, 0) < 0 || dup2(out[1], 1) < 0 || dup2(err[1], 2) < 0)
		goto failed;
	if (dup3(told, 3, O_CLOEXEC) < 0 && errno != EINVAL)
		goto failed;
	told = 3;
	close_range(4, ~0U, 0);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (getppid() != parent)
		_exit(127);
	execve(argv[0], argv, variables);
failed:
	ignored = write(told, &errno, sizeof(errno));
	(void)ignored;
	_exit(127);
}

/* ---- ours ---- */

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_pair(int fds[2])
{
	close_one(&fds[0]);
	close_one(&fds[1]);
}

/* A pipe whose ends are not the standard descriptors, which may be closed here. */
static int make_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		int up = fcntl(fds[i], F_DUPFD_CLOEXEC, 10);

		if (up < 0) {
			close_pair(fds);
			return -1;
		}
		close(fds[i]);
		fds[i] = up;
	}
	return 0;
}

static void never_wait(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static int start(struct child *child, char *const *argv, struct spk_reason_buffer *reason)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, told[2] = {-1, -1};
	char **variables = environment();
	pid_t parent = getpid();
	int rc = -1;

	if (make_pipe(out) < 0 || make_pipe(err) < 0 || make_pipe(told) < 0)
		goto out;
	child->pid = fork();
	if (child->pid == 0)
		become(argv, variables, out, err, told[1], parent);
	if (child->pid < 0)
		goto out;
	/* It may be either of us that comes first. */
	setpgid(child->pid, child->pid);
	child->pidfd = pidfd_open(child->pid, 0);
	rc = child->pidfd < 0 ? -1 : 0;
	child->out = out[0];
	child->err = err[0];
	child->told = told[0];
	out[0] = err[0] = told[0] = -1;
	never_wait(child->out);
	never_wait(child->err);
	never_wait(child->told);
out:
	if (rc < 0)
		reason_set(reason, "cannot run it: %s", strerrordesc_np(errno));
	close_pair(out);
	close_pair(err);
	close_pair(told);
	for (size_t i = 0; variables[i]; i++)
		memory_free(variables[i]);
	memory_free(variables);
	return rc;
}

/* Reads what is there. False: it is at its end. */
static bool read_some(struct child *child, int fd,
		      void (*take)(struct child *, const char *, size_t))
{
	char chunk[16384];
	ssize_t got;

	while ((got = read(fd, chunk, sizeof(chunk))) > 0) {
		take(child, chunk, (size_t)got);
		if (child->answer->length > child->limit)
			return true;
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

static void take_answer(struct child *child, const char *bytes, size_t length)
{
	text_add(child->answer, bytes, length);
}

/* What it says first matters most. */
static void take_complaint(struct child *child, const char *bytes, size_t length)
{
	size_t room = COMPLAINT_MAX - child->complaint_length;

	if (length > room)
		length = room;
	memcpy(child->complaint + child->complaint_length, bytes, length);
	child->complaint_length += length;
}

static void take_error(struct child *child, const char *bytes, size_t length)
{
	if (length == sizeof(child->error))
		memcpy(&child->error, bytes, length);
}

/* Whether it was over before the call was. Its descriptors are read as far as they go. */
static bool attend(struct child *child, struct spk_inventory_call *call)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = child->out, .events = POLLIN},
			{.fd = child->err, .events = POLLIN},
			{.fd = child->told, .events = POLLIN},
			{.fd = child->pidfd, .events = POLLIN},
			{.fd = call->cancel_fd, .events = POLLIN},
		};
		bool over;

		poll(fds, sizeof(fds) / sizeof(fds[0]), call_sleep(call->deadline_ns));
		over = fds[3].revents != 0;
		if (child->out >= 0 && (over || fds[0].revents) &&
		    !read_some(child, child->out, take_answer))
			close_one(&child->out);
		if (child->err >= 0 && (over || fds[1].revents) &&
		    !read_some(child, child->err, take_complaint))
			close_one(&child->err);
		if (child->told >= 0 && (over || fds[2].revents) &&
		    !read_some(child, child->told, take_error))
			close_one(&child->told);
		if (child->answer->length > child->limit) {
			reason_set(&call->reason, "it wrote more than %zu bytes", child->limit);
			return false;
		}
		if (over)
			return true;
		if (!call_goes_on(call))
			return false;
	}
}

static int judge(const struct child *child, int status, struct spk_reason_buffer *reason)
{
	const char *complaint = child->complaint;

	complaint += strspn(complaint, " \t\r\n");
	if (child->error)
		reason_set(reason, "cannot run it: %s", strerrordesc_np(child->error));
	else if (WIFSIGNALED(status))
		reason_set(reason, "signal %s ended it", sigabbrev_np(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0)
		reason_set(reason, "it exited with %d%s%.*s", WEXITSTATUS(status),
			   *complaint ? ": " : "", (int)strcspn(complaint, "\r\n"), complaint);
	else
		return 0;
	return -1;
}

/* False: somebody else has, or nobody may, where SIGCHLD is ignored. */
static bool collect(pid_t pid, int *ret_status)
{
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

int child_run(char *const *argv, size_t limit, struct text *out, struct spk_inventory_call *call)
{
	struct child child = {
		.pidfd = -1, .out = -1, .err = -1, .told = -1, .answer = out, .limit = limit};
	int status = 0;
	int rc = -1;
	bool over;

	if (file_trust(argv[0], &call->reason) < 0)
		return -1;
	if (start(&child, argv, &call->reason) == 0) {
		over = attend(&child, call);
		/* Also what it left behind. Its number is not given away before it is waited for.
		 */
		kill(-child.pid, SIGKILL);
		if (!collect(child.pid, &status))
			reason_set(&call->reason, "nobody knows how it ended: "
						  "the cookbook ignores its children");
		else if (over)
			rc = judge(&child, status, &call->reason);
	} else if (child.pid > 0) {
		kill(-child.pid, SIGKILL);
		collect(child.pid, &status);
	}
	close_one(&child.out);
	close_one(&child.err);
	close_one(&child.told);
	close_one(&child.pidfd);
	return rc;
}
