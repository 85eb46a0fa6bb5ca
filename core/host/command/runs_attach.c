/* SPDX-License-Identifier: Apache-2.0 */
#include "runs_attach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "../console/attachment.h"
#include "../journal/journalfile.h"
#include "../log/terminal.h"
#include "../run/outcome.h"
#include "../run/signals.h"
#include "../run/ttymode.h"

/* How long the supervisor may take to give the terminal back. */
#define PATIENCE_MS 5000

/* A run that can be attached to, or has ended. */
struct target {
	const char *directory;
	struct run_summary summary;
	int fd; /* connected to its supervisor; -1: the run has ended */
};

/* ---- the run ---- */

/* Runs within others have neither terminal nor socket: the one that they are all within. */
static int find_outermost(struct target *target, const char *run, struct err *err)
{
	char id[RUN_ID_SIZE];
	int rc = journal_glance(target->directory, run, &target->summary, err);

	while (rc == 0 && target->summary.outer) {
		if (!run_id_is_valid(target->summary.outer, strlen(target->summary.outer)))
			return err_set(err, "%s: it is within a run that has no id", run);
		snprintf(id, sizeof(id), "%s", target->summary.outer);
		run_summary_free(&target->summary);
		fprintf(stderr, "%s is within run %s\n", run, id);
		run = id;
		rc = journal_glance(target->directory, id, &target->summary, err);
	}
	return rc > 0 ? err_set(err, "%s: nothing was told of it", run) : rc;
}

static int explain(const struct target *target, int why, struct err *err)
{
	const struct run_summary *summary = &target->summary;
	char user[PRINTABLE_PATH_SIZE], host[PRINTABLE_PATH_SIZE];

	printable_path(summary->user ? summary->user : "?", user);
	printable_path(summary->host ? summary->host : "?", host);
	if (why == EACCES)
		return err_set(err, "%s: it is a run of %s, uid %lld: only that user and root may",
			       summary->id, user, (long long)summary->uid);
	if (why == ENOENT)
		return err_set(err,
			       "%s: it is not durable (see spicerack.cfg(5)): only its own "
			       "terminal can do that, or on %s `kill -INT %lld`",
			       summary->id, host, (long long)summary->pid);
	return err_set(err, "%s: its supervisor does not listen: %s", summary->id,
		       strerrordesc_np(why));
}

/* Who listens must be who may: a directory of several users holds sockets of several. */
static int check_peer(const struct target *target, struct err *err)
{
	long long peer = attachment_peer(target->fd);

	if (peer == (long long)geteuid() || (geteuid() == 0 && peer == target->summary.uid))
		return 0;
	return err_set(err, "%s: not trusted, uid %lld listens there, and it is a run of uid %lld",
		       target->summary.id, peer, (long long)target->summary.uid);
}

static void forget(struct target *target)
{
	fd_close(&target->fd);
	run_summary_free(&target->summary);
}

static int reach(struct target *target, const char *run, struct err *err)
{
	struct err why;
	int rc = find_outermost(target, run, err);

	if (rc < 0 || target->summary.state != RUN_GOES_ON)
		return rc;
	target->fd = attachment_connect(target->directory, target->summary.id, &why);
	rc = target->fd < 0 ? explain(target, errno, err) : check_peer(target, err);
	if (rc < 0)
		forget(target);
	return rc;
}

static int explain_refusal(const struct target *target, uint64_t refusal, struct err *err)
{
	const char *id = target->summary.id;

	switch ((enum attachment_refusal)refusal) {
	case ATTACHMENT_OTHER_VERSION:
		return err_set(err,
			       "%s: it was begun with another release of spicerack, %s, and "
			       "does not understand this one",
			       id, target->summary.version ? target->summary.version : "?");
	case ATTACHMENT_OTHER_USER:
		return explain(target, EACCES, err);
	case ATTACHMENT_NO_TERMINAL:
		return err_set(err, "%s: it cannot use this terminal", id);
	case ATTACHMENT_UNKNOWN:
		break;
	}
	return err_set(err, "%s: it did not understand that", id);
}

static bool send_plain(const struct target *target, enum attachment_type type)
{
	const struct attachment_message message = {.version = ATTACHMENT_VERSION, .type = type};

	return attachment_send(target->fd, &message, -1);
}

/* The exit code of a run that has ended, which is told; -1 with the reason: it came to no end. */
static int tell_end(const char *directory, const char *run, struct err *err)
{
	struct run_summary summary;
	int code = EXIT_OK;

	if (journal_read(directory, run, &summary, err) != 0)
		return -1;
	if (summary.state == RUN_ENDED) {
		code = (int)(summary.exit_code & 0xff);
		fprintf(stderr, "Run %s ended with exit code %d\n", run, code);
	} else {
		code = err_set(err, "%s: it was cut off: `spicerack runs show` tells what is known",
			       run);
	}
	run_summary_free(&summary);
	return code;
}

/* ---- stop ---- */

static const struct {
	enum attachment_effect effect;
	const char *text;
} effects[] = {
	{ATTACHMENT_INTERRUPTED,
	 "interrupted, its rollback follows; stop it again to kill it first"},
	{ATTACHMENT_KILLED, "killed, its rollback follows"},
	{ATTACHMENT_ABORTED, "the question that waited is answered: abort"},
	{ATTACHMENT_ROLLING_BACK,
	 "it is being rolled back, which goes on; stop it again within 5 seconds to abandon that"},
	{ATTACHMENT_ABANDONED, "its rollback is abandoned"},
};

/* Waits for what the supervisor says of it. */
static int await_effect(const struct target *target, struct err *err)
{
	struct pollfd ready = {.fd = target->fd, .events = POLLIN};
	const char *id = target->summary.id;
	struct attachment_message message;

	for (;;) {
		poll(&ready, 1, -1);
		switch (attachment_receive(target->fd, &message, NULL)) {
		case ATTACHMENT_NOTHING:
			continue;
		case ATTACHMENT_MESSAGE:
			break;
		default:
			return err_set(err, "%s: its supervisor has died", id);
		}
		if (message.type == ATTACHMENT_REFUSED)
			return explain_refusal(target, message.value, err);
		if (message.type == ATTACHMENT_END) {
			printf("Run %s: it has ended with exit code %d\n", id,
			       (int)(message.value & 0xff));
			return EXIT_OK;
		}
		for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
			if (message.type != ATTACHMENT_EFFECT || message.value != effects[i].effect)
				continue;
			printf("Run %s: %s\n", id, effects[i].text);
			return EXIT_OK;
		}
	}
}

int runs_stop(const char *directory, const char *run, bool kill, struct err *err)
{
	struct target target = {.directory = directory, .fd = -1};
	int code;

	if (reach(&target, run, err) < 0)
		return -1;
	if (target.fd < 0)
		code = err_set(err, "%s: it has ended", target.summary.id);
	else if (!send_plain(&target, kill ? ATTACHMENT_KILL : ATTACHMENT_STOP))
		code = err_set(err, "%s: its supervisor does not listen", target.summary.id);
	else
		code = await_effect(&target, err);
	forget(&target);
	return code;
}

/* ---- attach ---- */

struct attaching {
	struct target target;
	int terminal, signals, screen; /* the last: -1: there is none (any more) */
	uint64_t shown;                /* of it */
	bool lent;                     /* the run has the terminal */
	bool leaving;                  /* it was asked to give it back */
	bool over;
	int code;
};

static int open_screen(const struct target *target)
{
	char *path = xasprintf("%s/%s" ATTACHMENT_SCREEN_SUFFIX, target->directory,
			       target->summary.id);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	free(path);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
		fd_close(&fd);
	return fd;
}

/* Writes all of it; a signal ends the waiting for a terminal that stands still. */
static bool put(const struct attaching *attaching, int to, const char *text, size_t length)
{
	while (length > 0) {
		struct pollfd fds[2] = {{.fd = to, .events = POLLOUT},
					{.fd = attaching->signals, .events = POLLIN}};
		ssize_t done;

		if (poll(fds, 2, -1) < 0 || fds[1].revents)
			return false;
		done = write(to, text, length);
		if (done < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (done > 0) {
			text += done;
			length -= (size_t)done;
		}
	}
	return true;
}

/* Shows what of the screen was not shown yet. False: it cannot be, or a signal came. */
static bool replay(struct attaching *attaching, int to)
{
	char bytes[16384];
	ssize_t got = 0;

	while (attaching->screen >= 0 && (got = pread(attaching->screen, bytes, sizeof(bytes),
						      (off_t)attaching->shown)) > 0) {
		if (!put(attaching, to, bytes, (size_t)got))
			return false;
		attaching->shown += (uint64_t)got;
	}
	return got == 0;
}

/* Shows what is there, then lends the terminal. False: it could not, or a signal came. */
static bool offer(struct attaching *attaching)
{
	struct attachment_message message = {
		.version = ATTACHMENT_VERSION,
		.type = ATTACHMENT_TAKE,
		.flags = (terminal_wants_colours(attaching->terminal) ? ATTACHMENT_COLOURED : 0) |
			 (terminal_is_addressable() ? ATTACHMENT_ADDRESSABLE : 0),
	};

	if (!replay(attaching, attaching->terminal))
		return false;
	message.value = attaching->shown;
	return attachment_send(attaching->target.fd, &message, attaching->terminal);
}

static void finish(struct attaching *attaching, int code)
{
	attaching->over = true;
	attaching->code = code;
}

static void say_left(const struct attaching *attaching, const char *why)
{
	fprintf(stderr, "\n%s: run %s goes on, `spicerack runs attach %s` shows it again\n", why,
		attaching->target.summary.id, attaching->target.summary.id);
}

static void on_signal(struct attaching *attaching, int number)
{
	if (number == SIGHUP) {
		finish(attaching, EXIT_OK); /* nobody is there any more */
	} else if (!attaching->lent || attaching->leaving) {
		say_left(attaching, "Not attached");
		finish(attaching, EXIT_OK);
	} else if (number == SIGINT || number == SIGTSTP) {
		send_plain(&attaching->target,
			   number == SIGINT ? ATTACHMENT_INTERRUPT : ATTACHMENT_SUSPEND);
	} else if (number) {
		attaching->leaving = true;
		if (!send_plain(&attaching->target, ATTACHMENT_LEAVE))
			finish(attaching, EXIT_OK);
	}
}

/* The supervisor has closed the connection without a word. */
static void on_death(struct attaching *attaching, struct err *err)
{
	finish(attaching, tell_end(attaching->target.directory, attaching->target.summary.id, err));
}

static void on_message(struct attaching *attaching, const struct attachment_message *message,
		       struct err *err)
{
	switch (message->type) {
	case ATTACHMENT_TAKEN:
		attaching->lent = true;
		break;
	case ATTACHMENT_MORE:
		if (!offer(attaching))
			on_signal(attaching, signals_next(attaching->signals));
		break;
	case ATTACHMENT_REFUSED:
		finish(attaching, explain_refusal(&attaching->target, message->value, err));
		break;
	case ATTACHMENT_LEFT:
		say_left(attaching, "Let go");
		finish(attaching, EXIT_OK);
		break;
	case ATTACHMENT_REPLACED:
		finish(attaching, EXIT_OK);
		break;
	case ATTACHMENT_END:
		/* What it showed at its end, when it never had this terminal. */
		if (!attaching->lent)
			replay(attaching, attaching->terminal);
		finish(attaching, (int)(message->value & 0xff));
		fprintf(stderr, "Run %s ended with exit code %d\n", attaching->target.summary.id,
			attaching->code);
		break;
	default:
		break;
	}
}

static void hear(struct attaching *attaching, struct err *err)
{
	struct attachment_message message;

	switch (attachment_receive(attaching->target.fd, &message, NULL)) {
	case ATTACHMENT_MESSAGE:
		on_message(attaching, &message, err);
		break;
	case ATTACHMENT_NOTHING:
		break;
	case ATTACHMENT_GARBAGE:
	case ATTACHMENT_CLOSED:
		on_death(attaching, err);
		break;
	}
}

static void converse(struct attaching *attaching, struct err *err)
{
	fprintf(stderr, "Attached to run %s: Ctrl+C interrupts it, Ctrl+\\ lets go of it\n",
		attaching->target.summary.id);
	if (!offer(attaching))
		on_signal(attaching, signals_next(attaching->signals));
	while (!attaching->over) {
		struct pollfd fds[2] = {{.fd = attaching->target.fd, .events = POLLIN},
					{.fd = attaching->signals, .events = POLLIN}};

		if (poll(fds, 2, attaching->leaving ? PATIENCE_MS : -1) == 0)
			finish(attaching, EXIT_OK);
		/* First what the run says: keys are pressed at what the operator sees. */
		else if (fds[0].revents)
			hear(attaching, err);
		else if (fds[1].revents)
			on_signal(attaching, signals_next(attaching->signals));
	}
}

static int open_terminal(struct err *err)
{
	/* By its name, whoever it belongs to; and so that nobody ever waits for it. */
	int fd = open("/dev/tty", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, "there is no terminal to attach: `spicerack runs log --follow` "
				    "needs none");
	if (tcgetpgrp(fd) == getpgrp())
		return fd;
	fd_close(&fd);
	return err_set(err, "the terminal cannot be attached from the background");
}

static int attach(struct attaching *attaching, struct err *err)
{
	struct ttymode mode;

	attaching->terminal = open_terminal(err);
	if (attaching->terminal < 0)
		return -1;
	attaching->signals = signals_open(err);
	if (attaching->signals < 0)
		return -1;
	ttymode_save(&mode);
	converse(attaching, err);
	ttymode_restore(&mode);
	return attaching->code;
}

static int show_ended(struct attaching *attaching, struct err *err)
{
	replay(attaching, STDOUT_FILENO);
	return tell_end(attaching->target.directory, attaching->target.summary.id, err);
}

int runs_attach(const char *directory, const char *run, struct err *err)
{
	struct attaching attaching = {
		.target = {.directory = directory, .fd = -1},
		.terminal = -1,
		.signals = -1,
	};
	int code;

	if (reach(&attaching.target, run, err) < 0)
		return -1;
	attaching.screen = open_screen(&attaching.target);
	code = attaching.target.fd < 0 ? show_ended(&attaching, err) : attach(&attaching, err);
	fd_close(&attaching.screen);
	fd_close(&attaching.signals);
	fd_close(&attaching.terminal);
	forget(&attaching.target);
	return code;
}
