/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run while it goes on, for the files that conduct it: run.c the order of its stages, stage.c one
 * stage with all that may happen in it, rollback.c the way back, run_journal.c what is told of it.
 */
#ifndef SPICERACK_HOST_RUN_STATE_H
#define SPICERACK_HOST_RUN_STATE_H

#include "../argument/argparse.h"
#include "../journal/journal.h"
#include "../journal/sdjournal.h"
#include "link.h"
#include "run.h"

/* Whether what the run has done is undone. */
enum rollback_state {
	ROLLBACK_NONE, /* there is nothing to undo, or nothing that would */
	ROLLBACK_DONE,
	ROLLBACK_FAILED, /* it was tried, and not all of it is undone */
	ROLLBACK_OWED,   /* it was not tried, or did not come to its end */
};

struct run {
	const struct run_options *options;
	const struct tree_found *cookbook;
	struct run *outer;  /* the run that this one is within; NULL: the operator's own */
	unsigned int depth; /* 1: the operator's own */
	struct argparse_context context;
	struct parsed parsed;
	spk_strings words;          /* of its command line */
	struct log *log;            /* shared with the outer run */
	struct journal *journal;    /* its own */
	struct sdjournal sdjournal; /* of the operator's own run */
	struct locks *locks;        /* shared with the outer run; NULL: none are taken */
	struct notify *notify;      /* likewise; NULL: nobody is told of it */
	struct dryrun *dryrun;      /* likewise; NULL: it is no dry run */
	struct link link;
	int signal_fd;
	int64_t deadline_ns;    /* for the run stage, of CLOCK_BOOTTIME; INT64_MAX: none */
	bool interrupted;       /* a signal or the deadline asked for the end */
	int64_t interrupted_ns; /* when the last one did */
	bool by_terminal;       /* it was a Ctrl+C */
	int64_t warned_ns;      /* when the last Ctrl+C was told that an undoing goes on; 0: none */
	bool killed;            /* and the child was killed for it */
	bool within_undo;       /* an outer run is being undone: nothing interrupts that */
	bool abandoned;         /* the operator gave that undoing up */
	bool stopped;     /* by a signal, before its rollback: the outer runs are to end, too */
	bool undo_failed; /* something that should be undone is not */
	bool skip_start;
	enum rollback_state rollback;
	int64_t begin_ns, start_ns; /* of CLOCK_BOOTTIME; 0: the run stage has not begun */
	int64_t lock_wait_ns;       /* how long it waited for its lock */
	bool introduced, ended;     /* to whom reads the journal */
	struct run_end end;         /* for the caller of run_cookbook() */
	char *description;
};

static inline const char *name_of(const struct run *run)
{
	return run->cookbook->name;
}

/* How a stage ended, as far as the order of a run depends on it. */
enum ending { ENDED_RESULT, ENDED_DEATH, ENDED_NO_RUNNER };

/* Until when the outer run lets this one take; its undoing may take as long as it does. */
static inline int64_t outer_deadline(const struct run *run)
{
	return run->outer && !run->within_undo ? run->outer->deadline_ns : INT64_MAX;
}

/* Whether a stage undoes: what begun is then ended, whatever the operator or a deadline wants. */
static inline bool is_undoing(enum stage stage)
{
	return stage == STAGE_UNDO || stage == STAGE_ROLLBACK;
}

/*
 * Has the child do a stage and attends to what happens meanwhile: the operator's signals,
 * the deadline, inner runs. The result, or the death, is in run->link.event.
 */
enum ending run_stage(struct run *run, enum stage stage);

/* When the stage must be over, of CLOCK_BOOTTIME; INT64_MAX: it may take its time. */
int64_t stage_deadline(const struct run *run, enum stage stage);

/*
 * The way back of a run that ended with `code`, which is not 0: scopes that a dead child
 * left are closed in a fresh one, then the cookbook's rollback is called. Returns the final
 * code.
 */
int roll_back(struct run *run, int code);

/*
 * After a death: fresh children close the scopes that are still open; each scope's
 * action is called at most once in all of them. Leaves a live child, or returns false.
 */
bool undo_in_fresh_child(struct run *run);

/* ---- run_journal.c ---- */

/* Tells the journal of the run; a failure is logged. */
void run_tell_fields(struct run *run, const char *name, const struct event_field *fields,
		     size_t count);

#define run_tell(run, name, ...)                                                                   \
	run_tell_fields((run), (name), (const struct event_field[]){__VA_ARGS__},                  \
			sizeof((const struct event_field[]){__VA_ARGS__}) /                        \
				sizeof(struct event_field))

/* Begins the journal. -1 with the reason: nothing may be done that nobody can read of. */
MUST_CHECK int run_journal_open(struct run *run, struct err *err);

/* A question to the operator, and what became of it. */
void run_journal_question(struct run *run, const struct question *question);
void run_journal_answer(struct run *run, const struct question *question,
			const struct reply *reply);

/*
 * Tells the operator the id, once; and the journal the words of the command line, of which the
 * cookbook has had a chance to say what is secret: after prepare.
 */
void run_journal_introduce(struct run *run);

/* Before the first change, and behind the last: both are on the disk when these return. */
void run_journal_start(struct run *run);
void run_journal_end(struct run *run, int code);

/* Ends the journal, also of a run that had no end yet, or turned out to be none. */
void run_journal_close(struct run *run, int code);

/* Behind all of it: removes old journals, when that is due. */
void run_journal_prune(const struct run *run);

/* What a run that ended means for the one that it was within. */
struct inner_end {
	int code;
	bool stopped;   /* by a signal, which is for the outer one, too */
	bool abandoned; /* the operator gave up the undoing that it was part of */
};

/*
 * Runs another cookbook within `outer`, whose child waits for it in `stage`: same options, same
 * log, a runner of its own.
 */
struct inner_end run_within(struct run *outer, enum stage stage, const struct tree_found *cookbook,
			    int argc, char *const *argv);

#endif
