/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An execution at work: the turns of its hosts, of each command as the transport tells of it
 * (remoteturn.c), what the operator sees meanwhile (remoteshow.c) and the loop over all of it
 * (remoterun.c).
 */
#ifndef SPICERACK_MODULES_REMOTETURN_H
#define SPICERACK_MODULES_REMOTETURN_H

#include "../runtime/err.h"
#include "remotelink.h"
#include "remoteplan.h"
#include "remoterun.h"

/* Why a command was told to end. */
enum why { WHY_NOT, WHY_TIMEOUT, WHY_TOTAL, WHY_INTERRUPTED };

/* One host on its way through the commands. */
struct turn {
	struct execution *execution;
	size_t host, command; /* their numbers */
	void *handle;         /* of the transport; NULL: nothing runs there */
	bool failed;
	bool started, held;
	enum why why; /* it was told to end */
	int64_t began_ns, deadline_ns;
	struct capture out, err;
	int out_fd, err_fd; /* files; -1: none */
	bool has_files;     /* they were begun by an earlier command */
	struct buf words;   /* for the watcher, those sent first */
	size_t words_sent, input_sent, frame_left;
	bool input_ended;
	size_t place; /* in execution->busy */
};

struct execution {
	const struct remote_order *order;
	struct spk *spk;
	const struct remote_link *link;
	struct remote_records records;
	struct blobs blobs;
	struct turn *turns, **busy, **again;
	size_t busy_count, again_count, next, failed, ended;
	struct plan_window window;
	bool stopped;              /* nobody else gets a turn */
	struct buf *heads, *lines; /* of each command: for its standard input, and its line */
	int64_t began_ns;          /* 0: it has not */
	int64_t beat_ns, tell_ns, total_ns; /* when they are due */
	struct lines out_lines, err_lines;
	struct buf live; /* of a single host, for the terminal */
	size_t live_sent;
	/* For the log: room for two rounds of all hosts, and two while it winds down. */
	size_t *told_started, *told_ended, started_count, ended_count;
	struct spk_progress *progress;
	size_t shown_ended, shown_failed, shown_busy;
	bool broken, closing;
	struct err err; /* what is wrong with our own side */
	size_t phase;   /* the command of all, when they are in step */
	const struct spk_remote_results *results;
};

static inline int64_t uptime_ns(void)
{
	return spk_uptime().ns;
}

/* As late as there is where the sum is later. */
static inline int64_t time_after(int64_t time, int64_t ns)
{
	int64_t sum;

	return __builtin_add_overflow(time, ns, &sum) ? INT64_MAX : sum;
}

/* Whether what the one host writes goes to the terminal as it comes. */
static inline bool execution_is_live(const struct execution *execution)
{
	return execution->order->show_output && execution->order->names.count == 1;
}

/* ---- remoteturn.c ---- */

/* What the transport calls for a command, with its turn; it only notes. */
extern const struct spk_transport_calls turn_calls;

/* Starts that command on the host. What comes of it may come before this returns. */
void turn_begin(struct turn *turn, size_t command);
/* Tells the watcher of a command that has started that we are there. */
void turn_beat(struct turn *turn);
/* Has the watcher end the command; one that has not started is given up at once. */
void turn_end(struct turn *turn, enum why why);
/* One that did not end although it was told to, or that has not even begun. */
void turn_give_up(struct turn *turn);
/* Lets the one host wait whose output the terminal does not take. */
void turn_balance(struct turn *turn);

/* ---- remoteshow.c ---- */

void show_progress_open(struct execution *execution);
void show_progress(struct execution *execution);
void show_progress_close(struct execution *execution);
/*
 * Tells the log who has started and ended, at most once a second unless there is much or it is to
 * be all: a run that is killed leaves it behind.
 */
void show_log(struct execution *execution, bool all);
/* Writes as much as the terminal, or whatever it is, takes without waiting. */
void show_live(struct execution *execution);
/* The rest of what one host wrote, whatever the terminal makes of it. Raises an interruption. */
void show_live_all(struct execution *execution);

#endif
