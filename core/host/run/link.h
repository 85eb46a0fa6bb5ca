/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's link to one runner and the child at work in it: starts them, tells
 * them what to do, and yields what happens, one event at a time. Log records, output
 * and the operator's signals come in between, in their order. The other side is hostile
 * once a cookbook has been called in it.
 */
#ifndef SPICERACK_HOST_LINK_H
#define SPICERACK_HOST_LINK_H

#include <sys/types.h>

#include "../../runtime/channel.h"
#include "../../runtime/order.h"
#include "../../runtime/protocol.h"
#include "../console/console.h"
#include "../log/log.h"
#include "../notify/notify.h"
#include "dryrun.h"
#include "output.h"
#include "../question/question.h"

/* How long the other side may take to make room for a message. */
#define LINK_SEND_TIMEOUT_MS 10000

/* Addresses of calls, innermost first, of a crash or of an uncaught error. */
struct link_trace {
	size_t count;
	uintptr_t addresses[64];
	bool is_return[64];
};

/* The result of a stage; it lives until the next one. */
struct stage_result {
	enum stage stage;
	enum stage_outcome outcome;
	int code;
	uint32_t undo_failed;
	const char *text; /* may be NULL; lies in `text_copy` */
	struct buf text_copy;
	int32_t lock_concurrency;
	int64_t lock_ttl_ns;
	bool skip_start;
	struct buf error; /* the chain of causes, a line each; empty: none */
	struct link_trace trace;
};

/* The death of a child. */
struct child_death {
	int status;       /* of waitpid() */
	int signal, code; /* recorded by the child itself; 0: nothing recorded */
	uintptr_t fault_address, stack_pointer;
	char stage[16]; /* what it was doing, "" when that is not known */
	struct link_trace trace;
};

enum link_event_type {
	LINK_RESULT,      /* of the stage that was ordered */
	LINK_GONE,        /* the child died */
	LINK_RUNNER_GONE, /* the runner died or broke the protocol: it was killed */
	LINK_SIGNAL,      /* one for the supervisor */
	LINK_TIMEOUT,
	LINK_NESTED,       /* the child asks for an inner run and waits for link_answer() */
	LINK_QUESTION,     /* the child asks the operator and waits for link_answer() */
	LINK_TYPED,        /* there is something to read at `typed_fd` */
	LINK_OUTER_DEATH,  /* of a child or a runner that this one works for; told once */
	LINK_LOCK_REQUEST, /* the child asks about a lock and waits for link_answer() */
	LINK_LOCKS,        /* the keeper of the locks has news */
	LINK_CONSOLE,      /* the terminal is another one; only told with `asks_operator` */
	LINK_ANSWER,       /* of the runner: internal */
};

/* A request for an inner run. It lives until link_answer(). */
struct nested_request {
	bool confirm;
	const char *name;
	spk_strings args;
};

/* A request about a lock; its texts live until link_answer() or link_wait(). */
struct lock_request {
	enum lock_operation operation;
	enum lock_family family;
	const char *name;
	int32_t concurrency;
	int64_t ttl_ns, patience_ns;
	const char *id;
};

struct link_event {
	enum link_event_type type;
	int signal;
	bool kill; /* it counts as the second one */
	struct stage_result result;
	struct child_death death;
	struct nested_request nested;
	struct lock_request lock;
	struct question question; /* without its cookbook; it lives until link_answer() */
	uint32_t answer;
	const char *text;
	uint64_t number;
};

/* Descriptors of the locks, each may be -1. */
struct link_locks {
	int news_fd;           /* readable: LINK_LOCKS */
	int lease_fd, life_fd; /* for the runner, see protocol.h */
};

struct link {
	const struct link *outer;       /* of the run that this one is within; NULL: none */
	const struct link_locks *locks; /* NULL: none are taken */
	struct notify *notify;          /* NULL: nobody is told of it */
	struct dryrun *dryrun;          /* NULL: it is no dry run */
	struct eventout *events;        /* NULL: standard output is the cookbook's */
	pid_t runner;                   /* 0: none */
	bool in_process;                /* the runner is the child, too */
	bool child_alive, stage_ordered;
	bool outer_death_told;
	bool asking;          /* the runner, whose answer comes first: news of locks wait */
	int child_fd;         /* pidfd of the child; -1: none, or known to be dead */
	int64_t death_due_ns; /* the runner must have told the child's death by then; 0: it need not
			       */
	char build_id[129];   /* of the cookbook's file, in hexadecimal; "": it has none */
	struct channel control, requests;
	int interrupt_fd, signal_fd;
	int typed_fd;            /* a terminal that a question waits at; -1: none */
	bool asks_operator;      /* a question waits, wherever */
	struct console *console; /* NULL: the run is not durable */
	struct output output;
	uint32_t serial; /* of the request that waits for link_answer() */
	struct buf held; /* that request; empty: none waits */
	/* For REQUEST_CHECK, of this child: orders given, serials of requests. */
	uint32_t orders, received, answered;
	struct link_event event;
};

/* Why a cookbook could not be opened, when it is not the system's fault. */
struct link_failure {
	bool refused;    /* it cannot be loaded, or is not what was read */
	int stop_signal; /* the operator did not want to wait: the signal he sent; 0: none */
};

/*
 * Starts a runner and has it open the cookbook; link->outer, locks, notify, dryrun, events and
 * console are set, the rest is filled in. -1 with the reason and *ret_failure.
 */
MUST_CHECK int link_open(struct link *link, const char *runner, const struct run_order *order,
			 struct log *log, int signal_fd, struct link_failure *ret_failure,
			 struct err *err);

/* Starts a child. -1: there is no runner any more, or it cannot fork. */
MUST_CHECK int link_child(struct link *link);

/* Orders a stage; its end is an event. -1: nobody is there; the event says the same. */
void link_stage(struct link *link, enum stage stage);

/* Waits for what happens next, at most until `deadline_ns` of CLOCK_BOOTTIME (INT64_MAX: for ever).
 */
const struct link_event *link_wait(struct link *link, int64_t deadline_ns);

/* Answers the request that was the last event. */
void link_answer(struct link *link, const struct buf *body);

/* Reads count and addresses, each with whether it is a return; without `with_return` all are. */
void link_trace_read(struct wire_reader *body, struct link_trace *trace, bool with_return);

/* Raises the flag that makes the child's next waiting call raise; takes it back. */
void link_interrupt(struct link *link);
void link_clear_interrupt(struct link *link);

/* Has the child and all it started killed; its death is an event. */
void link_kill_child(struct link *link);

/* Whether the child or its runner is dead already, though that was no event yet. */
bool link_has_died(const struct link *link);

/* Whether LINK_OUTER_DEATH would be the next event; it is then told with this. */
bool link_outer_has_died(struct link *link);

/* Kills the runner and all that it started, at once and without a word of theirs. */
void link_end(struct link *link);

/* Appends one line per frame to `lines`. */
void link_describe(struct link *link, const struct link_trace *trace, struct buf *lines);

/* Ends the runner and all that is left of the run; writes out what is pending. */
void link_close(struct link *link);

#endif
