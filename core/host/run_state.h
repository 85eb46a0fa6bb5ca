/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run while it goes on, for the three files that conduct it: run.c the order of its
 * stages, stage.c one stage with all that may happen in it, rollback.c the way back.
 */
#ifndef SPICERACK_HOST_RUN_STATE_H
#define SPICERACK_HOST_RUN_STATE_H

#include "argparse.h"
#include "link.h"
#include "run.h"

struct run {
	const struct run_options *options;
	const struct tree_found *cookbook;
	struct run *outer;  /* the run that this one is within; NULL: the operator's own */
	unsigned int depth; /* 1: the operator's own */
	struct argparse_context context;
	struct parsed parsed;
	struct log *log; /* shared with the outer run */
	struct link link;
	int signal_fd;
	int64_t deadline_ns;    /* for the run stage, of CLOCK_BOOTTIME; INT64_MAX: none */
	bool interrupted;       /* a signal or the deadline asked for the end */
	int64_t interrupted_ns; /* when the last one did */
	bool by_terminal;       /* it was a Ctrl+C */
	bool killed;            /* and the child was killed for it */
	bool stopped;     /* by a signal, before its rollback: the outer runs are to end, too */
	bool undo_failed; /* something that should be undone is not */
	bool skip_start;
	char *description;
};

static inline const char *name_of(const struct run *run)
{
	return run->cookbook->name;
}

/* How a stage ended, as far as the order of a run depends on it. */
enum ending { ENDED_RESULT, ENDED_DEATH, ENDED_NO_RUNNER };

/*
 * Has the child do a stage and attends to what happens meanwhile: the operator's signals,
 * the deadline, inner runs. The result, or the death, is in run->link.event.
 */
enum ending run_stage(struct run *run, enum stage stage);

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

/*
 * Runs another cookbook within `outer`, whose child waits for it: same options, same log, a
 * runner of its own. Returns its exit code; *ret_stopped tells whether it was interrupted.
 */
int run_within(struct run *outer, const struct tree_found *cookbook, int argc, char *const *argv,
	       bool *ret_stopped);

#endif
