/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processes of a run say to each other, and in which order the items of
 * each message stand (n: number, t: text, t*: count and texts).
 *
 * Two channels: `control` joins supervisor and runner, `requests` joins supervisor
 * and whichever child of the runner is at work. The supervisor drives: it asks for
 * one stage after the other and decides what follows from each result.
 *
 * Both ends are installed together, so this is no ABI and may change freely. But packages may be
 * upgraded while a run goes on, whose supervisor then starts runners that are newer than itself: so
 * the first words that are exchanged say a number, and two that speak differently part before
 * anything is done. What never changes is therefore how CONTROL_INIT begins, and CONTROL_REFUSED.
 */
#ifndef SPICERACK_CORE_PROTOCOL_H
#define SPICERACK_CORE_PROTOCOL_H

/* Another one in each release in which a message is another. A test may say that it is. */
#ifndef PROTOCOL_VERSION
#define PROTOCOL_VERSION 1
#endif

/* Descriptors of a runner, besides /dev/null and the two pipes. */
enum {
	RUNNER_CONTROL_FD = 3,
	RUNNER_REQUESTS_FD = 4,
	RUNNER_INTERRUPT_FD = 5, /* eventfd: readable while an interruption is due */
	RUNNER_LEASE_FD = 6,     /* see lease.h; not open: no locks are taken */
	RUNNER_LIFE_FD =
		7, /* the run file, locked for as long as anybody has it; may not be open */
};

enum control_type {
	/* supervisor to runner */
	/* n PROTOCOL_VERSION, t version of the host, then struct run_order, see order.h */
	CONTROL_INIT = 1,
	CONTROL_CHILD = 2,    /* start a (fresh) child: - */
	CONTROL_KILL = 3,     /* end the child and all it started: - */
	CONTROL_DESCRIBE = 4, /* name addresses: n count, then n address, n is_return each */
	CONTROL_QUIT = 5,     /* the run is over: - */
	/* runner to supervisor */
	CONTROL_READY = 20,   /* the cookbook is open: n PROTOCOL_VERSION */
	CONTROL_REFUSED = 21, /* t why it is not */
	CONTROL_STARTED = 22, /* n pid of the child; 0: it could not be started */
	CONTROL_GONE =
		23,             /* n wait status, n signal recorded, n code, n fault address,
				   n stack pointer, t stage words, n count, then n address, n is_return each */
	CONTROL_DESCRIBED = 24, /* t lines */
};

/* The parts of a run that a child does when told, in their order. */
enum stage {
	STAGE_NONE = 0,
	STAGE_ARGUMENTS = 1, /* fills in the structure, parsers, .check */
	STAGE_PREPARE = 2,
	STAGE_DESCRIBE = 3,
	STAGE_LOCK = 4,
	STAGE_RUN = 5,
	STAGE_UNDO = 6, /* closes the scopes that a dead child left open */
	STAGE_ROLLBACK = 7,
	STAGE_QUIT = 8,
	STAGE_COUNT
};

enum request_type {
	/* supervisor to child */
	REQUEST_STAGE = 1,  /* n enum stage */
	REQUEST_ANSWER = 2, /* to the request of the same serial; its items depend on that */
	/* to REQUEST_CHECK: its items, n orders given, n whether a result is due, n serial of the
	 * last request that came, n of the last that was answered */
	REQUEST_CHECKED = 3,
	/* child to supervisor */
	REQUEST_RESULT = 20, /* of a stage: struct stage_result, see below */
	/* n level, t file, n line, t function, t message, n enum log_audience; answered empty */
	REQUEST_LOG = 21,
	/* n confirm, t name, t* arguments; answered n enum nested_end, n exit code, t message */
	REQUEST_NESTED = 22,
	/* n enum lock_operation and its items, see below */
	REQUEST_LOCK = 27,
	REQUEST_SECRET = 23, /* t a secret, redacted from then on; answered n 1, or 0: no more */
	/* A question to the operator: n enum ask_kind, t name, t message, t* choices (of
	 * ASK_CHOICE), n wrong answers so far, t what was wrong with the last (of ASK_TEXT), n enum
	 * ask_flag; answered n enum ask_end, t answer or why there is none, t who answered */
	REQUEST_ASK = 24,
	REQUEST_HOSTS = 28, /* t set of hosts that commands are about to run on; answered empty */
	/* What came of it: t* commands, n hosts, n of which succeeded, n failed, n duration in ns;
	 * no answer */
	REQUEST_EXECUTED = 31,
	REQUEST_DURABLE = 25, /* -; answered n whether the run outlives a dropped connection */
	/* n which, n enum spk_progress_kind (0: it is over), n done, n total, t label; no answer */
	REQUEST_PROGRESS = 26,
	/* n enum dryrun_kind, t one line of the summary of a dry run; no answer */
	REQUEST_DRYRUN = 30,
	/* It has been quiet for long, was a message lost? n pid, n serial whose answer is awaited
	 * (0: an order is), n orders taken */
	REQUEST_CHECK = 29,
};

/*
 * REQUEST_RESULT: n stage, n enum stage_outcome, n code (what run() returned), n undo
 * actions that failed, t text (message of the refusal or of done, description, lock
 * suffix), n lock concurrency, n lock ttl in ns, n skip start, then the error: t* lines of its
 * chain, n count of addresses, then n address each.
 */
enum stage_outcome {
	OUTCOME_RETURNED = 1,
	OUTCOME_RAISED = 2,
	OUTCOME_INTERRUPTED = 3,
	OUTCOME_DONE = 4,  /* prepare called spk_done() */
	OUTCOME_USAGE = 5, /* arguments: a parser or .check refused; text is why */
};

/* What the summary of a dry run tells of. */
enum dryrun_kind { DRYRUN_READ, DRYRUN_WRITE, DRYRUN_UNKNOWN, DRYRUN_KINDS };

/* Who is told of a record, beside the log. */
enum log_audience { AUDIENCE_NONE, AUDIENCE_IRC, AUDIENCE_SAL };

/* The kinds of names of locks, each with keys of its own. */
enum lock_family { LOCK_COOKBOOK, LOCK_CUSTOM, LOCK_MODULE, LOCK_FAMILIES };

/* REQUEST_LOCK. Each is answered n enum lock_end, t message, and for the first n id, n fence. */
enum lock_operation {
	LOCK_TAKE =
		1, /* n enum lock_family, t name, n concurrency, n ttl, n patience, both in ns */
	LOCK_GIVE_BACK = 2, /* n id */
	LOCK_ASK = 3,       /* n 0: the fence of the run's own lock */
};

/* What became of it. */
enum lock_end {
	LOCK_DONE = 1,        /* or there is nothing to do: no locks, or a dry run */
	LOCK_UNAVAILABLE = 2, /* others hold it, and the patience is over; the message says who */
	LOCK_INTERRUPTED = 3,
	LOCK_INVALID = 4,  /* the name is none */
	LOCK_FAILED = 5,   /* the store does not answer, or refuses */
	LOCK_DEADLOCK = 6, /* this run holds it itself */
	LOCK_MISSING = 7,  /* it is not held */
};

/* What became of a request for an inner run. */
enum nested_end {
	NESTED_RAN = 1,     /* and came to that exit code */
	NESTED_SKIPPED = 2, /* it failed, and the operator said to go on without */
	NESTED_ABORTED = 3, /* it failed, and the operator said to stop */
	NESTED_UNASKED = 4, /* it failed, and nobody said what to do; the message says why */
	NESTED_MISSING = 5, /* there is no such cookbook */
	NESTED_DEPTH = 6,   /* too many runs within each other */
};

enum ask_kind {
	ASK_CONFIRM = 1, /* "go" or "abort" */
	ASK_FAILURE = 2, /* "retry", "skip" or "abort" */
	ASK_CHOICE = 3,  /* one of the choices */
	ASK_TEXT = 4,    /* one line; the child judges it and asks again */
	ASK_SECRET = 5,  /* one line that is not shown */
};

enum ask_flag {
	ASK_TWICE = 1, /* a secret: typed twice, for fear of a slip */
	ASK_KEEP = 2,  /* a secret: once for this run and all within it */
};

/* What became of a question. */
enum ask_end {
	ASK_ANSWERED = 1,
	ASK_INVALID = 2,     /* ASK_TEXT: no text that could be judged */
	ASK_ABORTED = 3,     /* Ctrl+C */
	ASK_UNANSWERED = 4,  /* three wrong answers, or the terminal has gone */
	ASK_NO_TERMINAL = 5, /* nobody can be asked, and nothing else answers it */
	ASK_ENDED = 6,       /* the run is being interrupted */
};

/* So many wrong answers end a question. */
#define ASK_TRIES 3

/* The outermost run is the first. */
#define NESTED_DEPTH_MAX 8

#endif
