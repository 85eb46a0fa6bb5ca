/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backtrace.h"
#include "crash.h"
#include "descendants.h"
#include "lease.h"
#include "mem.h"
#include "opened.h"
#include "protocol.h"
#include "worker.h"

#define SEND_TIMEOUT_MS 10000

struct runner {
	struct channel control;
	struct spk *spk;
	struct buf init;           /* the order's texts lie in it */
	int child_signal;          /* signalfd of SIGCHLD */
	pid_t child;               /* 0: none */
	bool in_process;           /* it works itself, as --in-process says */
	bool finished;             /* the supervisor said that the run is over */
	const struct lease *lease; /* NULL: no locks are taken */
};

/* Names of the stages for reports. */
static const char *const stage_names[STAGE_COUNT] = {
	[STAGE_NONE] = "start",        [STAGE_ARGUMENTS] = "arguments", [STAGE_PREPARE] = "prepare",
	[STAGE_DESCRIBE] = "describe", [STAGE_LOCK] = "lock",           [STAGE_RUN] = "run",
	[STAGE_UNDO] = "undo",         [STAGE_ROLLBACK] = "rollback",   [STAGE_QUIT] = "quit",
};

static int reply(struct runner *runner, enum control_type type, const struct buf *body)
{
	return channel_send(&runner->control, type, 0, body, SEND_TIMEOUT_MS);
}

/* Whether the supervisor, which may be older or newer, speaks as we do. */
static int check_version(struct wire_reader *body, struct err *err)
{
	uint64_t protocol = wire_get_number(body);
	const char *version = wire_get_text(body);

	if (!body->bad && protocol == PROTOCOL_VERSION)
		return 0;
	return err_set(err,
		       "spicerack was upgraded since this run began: that was version %.32s "
		       "(protocol %llu), and what opens cookbooks is version " SPICERACK_VERSION
		       " (protocol %d); begin a new run",
		       version ? version : "?", (unsigned long long)protocol, PROTOCOL_VERSION);
}

static int open_ordered(struct runner *runner, struct message *message, struct err *err)
{
	struct spk *spk = runner->spk;
	struct wire_reader body;

	if (check_version(&message->body, err) < 0)
		return -1;
	/* The order lives as long as the runner: kept apart from the channel's buffer. */
	buf_add(&runner->init, message->body.at, message->body.left);
	body = wire_read(runner->init.text, runner->init.length);
	if (order_read(&body, &spk->order, err) < 0)
		return -1;
	if (arena_create(&spk->shared, err) < 0)
		return -1;
	if (spk->order.state_size > 0) {
		spk->shared->self = arena_alloc(spk->shared, spk->order.state_size, false);
		if (!spk->shared->self)
			return err_set(err, "%s: a structure of %llu bytes is too large",
				       spk->order.file, (unsigned long long)spk->order.state_size);
	}
	spk->magic = SESSION_MAGIC;
	spk->requests.fd = RUNNER_REQUESTS_FD;
	spk->interrupt_fd = RUNNER_INTERRUPT_FD;
	session_set_current(spk);
	crash_prepare();
	return cookbook_open(spk, err);
}

static int on_init(struct runner *runner, struct message *message)
{
	struct buf body = {0};
	struct err err;
	int rc;

	if (open_ordered(runner, message, &err) < 0) {
		wire_put_text(&body, err.text);
		rc = reply(runner, CONTROL_REFUSED, &body);
	} else {
		wire_put_number(&body, PROTOCOL_VERSION);
		rc = reply(runner, CONTROL_READY, &body);
	}
	buf_free(&body);
	return rc;
}

static int on_child(struct runner *runner)
{
	struct buf body = {0};
	pid_t self = getpid();
	pid_t pid;
	int rc;

	fflush(NULL);
	if (runner->spk->order.in_process && !runner->in_process) {
		runner->in_process = true;
		worker_settle_in_process(runner->spk);
		wire_put_number(&body, (uint64_t)self);
		rc = reply(runner, CONTROL_STARTED, &body);
		buf_free(&body);
		return rc;
	}
	/* An order that came too late for the child before is not for this one. */
	if (!runner->child)
		channel_discard(&runner->spk->requests);
	pid = runner->child || lease_is_over(runner->lease) ? -1 : fork();
	if (pid == 0) {
		close(runner->control.fd);
		close(runner->child_signal);
		worker_main(runner->spk, self);
	}
	if (pid > 0)
		runner->child = pid;
	wire_put_number(&body, pid > 0 ? (uint64_t)pid : 0);
	rc = reply(runner, CONTROL_STARTED, &body);
	buf_free(&body);
	return rc;
}

static void put_addresses(struct buf *body, const uintptr_t *addresses, unsigned int count)
{
	wire_put_number(body, count);
	for (unsigned int i = 0; i < count; i++) {
		wire_put_number(body, addresses[i]);
		wire_put_number(body, i > 0);
	}
}

/* The child is dead: what it started goes with it, then the supervisor learns of it. */
static int on_death(struct runner *runner, int status)
{
	struct shared *shared = runner->spk->shared;
	const struct crash *crash = &shared->crash;
	uint32_t stage = shared->stage < STAGE_COUNT ? shared->stage : STAGE_NONE;
	struct buf body = {0};
	int rc;

	runner->child = 0;
	descendants_kill(NULL, 0, 0, NULL);
	wire_put_number(&body, (uint64_t)status);
	wire_put_number(&body, (uint64_t)crash->signal);
	wire_put_number(&body, (uint64_t)(int64_t)crash->code);
	wire_put_number(&body, crash->fault_address);
	wire_put_number(&body, crash->stack_pointer);
	wire_put_text(&body, stage_names[stage]);
	put_addresses(&body, crash->addresses, crash->count <= CRASH_FRAMES ? crash->count : 0);
	rc = reply(runner, CONTROL_GONE, &body);
	buf_free(&body);
	return rc;
}

static int on_kill(struct runner *runner)
{
	int status = SIGKILL;

	if (!runner->child)
		return 0;
	descendants_kill(NULL, 0, runner->child, &status);
	return on_death(runner, status);
}

static int on_describe(struct runner *runner, struct message *message)
{
	size_t count = wire_get_count(&message->body);
	uintptr_t *addresses = xcalloc(count, sizeof(*addresses));
	bool *is_return = xcalloc(count, sizeof(*is_return));
	struct buf lines = {0}, body = {0};
	int rc;

	for (size_t i = 0; i < count; i++) {
		addresses[i] = wire_get_number(&message->body);
		is_return[i] = wire_get_number(&message->body);
	}
	backtrace_describe(addresses, is_return, count, &lines);
	wire_put_text(&body, buf_text(&lines));
	rc = reply(runner, CONTROL_DESCRIBED, &body);
	free(addresses);
	free(is_return);
	buf_free(&lines);
	buf_free(&body);
	return rc;
}

/*
 * The locks have ended, whatever the supervisor knows of it: nothing may go on. What it asks for
 * from now on is not done.
 */
static int on_end_of_lease(struct runner *runner)
{
	if (!runner->child)
		return 0;
	return on_kill(runner);
}

/* One message of the supervisor. -1: it is gone. */
static int on_control(struct runner *runner)
{
	struct message message;

	if (channel_receive(&runner->control, true, &message) != CHANNEL_MESSAGE)
		return -1;
	switch (message.type) {
	case CONTROL_INIT:
		return on_init(runner, &message);
	case CONTROL_CHILD:
		return on_child(runner);
	case CONTROL_KILL:
		return on_kill(runner);
	case CONTROL_DESCRIBE:
		return on_describe(runner, &message);
	case CONTROL_QUIT:
		runner->finished = true;
		return -1;
	default:
		return -1;
	}
}

static int on_child_signal(struct runner *runner)
{
	struct signalfd_siginfo info;
	pid_t pid;
	int status;

	while (read(runner->child_signal, &info, sizeof(info)) == (ssize_t)sizeof(info))
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == runner->child && on_death(runner, status) < 0)
			return -1;
	/* Gone, and nobody knows how: it must not be waited for. */
	if (pid < 0 && errno == ECHILD && runner->child)
		return on_death(runner, SIGKILL);
	return 0;
}

/* A line, on a line of its own: the supervisor may have died in the middle of one. */
static void append(const char *file, char *text)
{
	int fd = file ? open(file, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW) : -1;
	char last = '\n';
	struct iovec parts[] = {{.iov_base = &last}, {.iov_base = text, .iov_len = strlen(text)}};

	if (fd < 0)
		return;
	if (lseek(fd, -1, SEEK_END) >= 0 && read(fd, &last, 1) == 1 && last != '\n')
		parts[0].iov_len = 1;
	last = '\n';
	if (writev(fd, parts, 2) < 0) {
		/* Nobody is left to tell. */
		close(fd);
		return;
	}
	close(fd);
}

/*
 * Where the run stood when the supervisor died, and what is left to do. Returns the word of the
 * journal for that, NULL: it was told already.
 */
static const char *what_it_means(const struct shared *shared, char *text, size_t size)
{
	uint32_t stage = shared->stage < STAGE_COUNT ? shared->stage : STAGE_NONE;

	if ((stage == STAGE_RUN || stage == STAGE_ROLLBACK) && shared->stage_succeeded) {
		snprintf(text, size, "after %s, which succeeded", stage_names[stage]);
		return stage == STAGE_RUN ? "none" : "done";
	}
	if (stage == STAGE_RUN || stage == STAGE_UNDO || stage == STAGE_ROLLBACK) {
		snprintf(text, size,
			 "during %s: the cookbook was stopped, it was not rolled back: a "
			 "rollback is owed",
			 stage_names[stage]);
		return "owed";
	}
	if (stage == STAGE_QUIT) {
		snprintf(text, size, "after the run");
		return NULL;
	}
	snprintf(text, size, "after %s: the cookbook was stopped before it ran",
		 stage_names[stage]);
	return "none";
}

/* One more event of the journal, as core/host/journal/event.h has it; nothing in it needs escapes.
 */
static void last_event(const struct spk *spk, const struct timespec *now, const char *text,
		       const char *rollback)
{
	const struct shared *shared = spk->shared;
	uint32_t stage = shared->stage < STAGE_COUNT ? shared->stage : STAGE_NONE;
	char stamp[32], line[1024];
	struct tm utc;

	gmtime_r(&now->tv_sec, &utc);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(
		line, sizeof(line),
		"{\"schema\": 1, \"time\": \"%s.%06ldZ\", \"run\": \"%s\", \"event\": \"cut-off\", "
		"\"stage\": \"%s\", \"rollback\": %s%s%s, \"message\": \"the supervisor died "
		"%s\"}\n",
		stamp, now->tv_nsec / 1000, spk->order.run ? spk->order.run : "",
		stage_names[stage], rollback ? "\"" : "", rollback ? rollback : "null",
		rollback ? "\"" : "", text);
	append(spk->order.journal_file, line);
}

/* The supervisor died in the middle of a run: nobody else can say what that means. */
static void last_words(const struct spk *spk)
{
	const struct run_order *order = &spk->order;
	struct timespec now;
	char stamp[32], text[128], line[1024];
	const char *rollback;
	struct tm local;

	rollback = what_it_means(spk->shared, text, sizeof(text));
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &local);
	snprintf(line, sizeof(line), "%s,%03ld %s[ERROR] The supervisor of cookbook %s died %s\n",
		 stamp, now.tv_nsec / 1000000, order->log_head ? order->log_head : "", order->name,
		 text);
	append(order->log_file, line);
	snprintf(line, sizeof(line),
		 "%s,%03ld %s[ERROR runner:%d in %s] The supervisor of cookbook %s died %s\n",
		 stamp, now.tv_nsec / 1000000, order->log_head ? order->log_head : "", __LINE__,
		 __func__, order->name, text);
	append(order->log_extended_file, line);
	last_event(spk, &now, text, rollback);
}

/* -1: the death of a child could not be noticed. */
static int settle_in(struct runner *runner)
{
	sigset_t child;

	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, "spicerack-run");
	fcntl(RUNNER_CONTROL_FD, F_SETFD, FD_CLOEXEC);
	fcntl(RUNNER_REQUESTS_FD, F_SETFD, FD_CLOEXEC);
	fcntl(RUNNER_INTERRUPT_FD, F_SETFD, FD_CLOEXEC);
	if (fcntl(RUNNER_LEASE_FD, F_GETFD) >= 0)
		runner->lease = lease_open(RUNNER_LEASE_FD);
	/* Every process of the run but those that become other programs. */
	fcntl(RUNNER_LIFE_FD, F_SETFD, FD_CLOEXEC);
	/* Signals are for the supervisor; the runner does what that says. */
	for (int number = 1; number < SIGRTMIN; number++)
		if (number == SIGINT || number == SIGTERM || number == SIGHUP ||
		    number == SIGQUIT || number == SIGTSTP || number == SIGPIPE ||
		    number == SIGUSR1 || number == SIGUSR2)
			signal(number, SIG_IGN);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_SETMASK, &child, NULL);
	runner->child_signal = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	runner->control.fd = RUNNER_CONTROL_FD;
	return runner->child_signal < 0 ? -1 : 0;
}

/* Until the locks end, in milliseconds, but not longer than may pass without a look. */
static int lease_timeout(const struct runner *runner)
{
	int64_t left;

	if (!runner->lease)
		return -1;
	left = (lease_get(runner->lease) - spk_uptime().ns) / 1000000 + 1;
	if (left > LEASE_CHECK_MS || !runner->child)
		return LEASE_CHECK_MS;
	return left < 0 ? 0 : (int)left;
}

int spk_private_runner_main(void)
{
	static struct spk session = {.interrupt_fd = -1};
	struct runner runner = {.spk = &session};
	struct pollfd fds[3];

	if (fcntl(RUNNER_CONTROL_FD, F_GETFD) < 0 || fcntl(RUNNER_REQUESTS_FD, F_GETFD) < 0 ||
	    fcntl(RUNNER_INTERRUPT_FD, F_GETFD) < 0) {
		fputs("runner: is started by `cookbook`, not by hand\n", stderr);
		return 2;
	}
	if (settle_in(&runner) < 0) {
		perror("runner: cannot make a descriptor for signals");
		return 1;
	}
	fds[0] = (struct pollfd){.fd = runner.control.fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = runner.child_signal, .events = POLLIN};
	for (;;) {
		int ready;

		fds[2] = (struct pollfd){
			.fd = runner.in_process ? RUNNER_REQUESTS_FD : -1,
			.events = POLLIN,
		};
		ready = poll(fds, 3, lease_timeout(&runner));
		/* What the last poll said must not be taken for the answer of this one. */
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0)
			break;
		if (lease_is_over(runner.lease) && !runner.in_process &&
		    on_end_of_lease(&runner) < 0)
			break;
		if (fds[2].revents && !worker_step(&session)) {
			runner.in_process = false;
			if (on_death(&runner, 0) < 0)
				break;
		}
		/* Deaths first: an order that follows one is about a fresh child. */
		if (fds[1].revents && on_child_signal(&runner) < 0)
			break;
		if (fds[0].revents && on_control(&runner) < 0)
			break;
	}
	descendants_kill(NULL, 0, 0, NULL);
	if (!runner.finished && session.shared)
		last_words(&session);
	order_free(&session.order);
	buf_free(&runner.init);
	channel_close(&runner.control);
	return 0;
}
