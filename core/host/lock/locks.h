/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The locks of an invocation of `cookbook`: of its runs, each of which has one of its own, and
 * those that cookbooks ask for. One keeper holds them all. A run tells it what it wants; what
 * follows comes as LINK_LOCKS events of its link.
 */
#ifndef SPICERACK_HOST_LOCKS_H
#define SPICERACK_HOST_LOCKS_H

#include "../log/log.h"
#include "../run/run_state.h"

struct locks;

/*
 * Gets ready: run file, keeper. *ret_locks stays NULL where locks are off. Nothing is asked of the
 * store yet. -1 with the reason.
 */
MUST_CHECK int locks_open(const struct run_options *options, struct log *log,
			  struct locks **ret_locks, struct err *err);
/* What is still held is given back. NULL is fine. */
void locks_close(struct locks *locks);

/* What a link needs of it; NULL without locks. */
const struct link_locks *locks_for_link(const struct locks *locks);

/*
 * Takes the lock of the run, waiting for it; to be called between the stages. False: it does not go
 * on, and *code is how it ends. Reports are made.
 */
bool locks_take_for_run(struct run *run, const struct stage_result *wanted, int *code);

/* Gives back all that the run has taken. */
void locks_give_back(struct run *run);

/* After LINK_LOCKS: there is news. Answers the child where it waits for that. */
void locks_attend(struct run *run);

/* After LINK_LOCK_REQUEST: the child wants something, and gets its answer now or later. */
void locks_request(struct run *run, const struct lock_request *request);

/* The child shall wait no longer, since the run is interrupted; or cannot, since it is gone. */
void locks_interrupt(struct run *run);
void locks_forget_child(struct run *run);

/* When the locks end that are held, of CLOCK_BOOTTIME; INT64_MAX: they do not. */
int64_t locks_deadline(const struct run *run);

/* Whether something that was held is no longer, and the run must not go on. Says so, once. */
bool locks_are_lost(struct run *run);

#endif
