/* SPDX-License-Identifier: Apache-2.0 */
/* A child of the runner: the only process in which code of a cookbook is called. */
#ifndef SPICERACK_CORE_WORKER_H
#define SPICERACK_CORE_WORKER_H

#include <sys/types.h>

#include "session.h"

/*
 * --in-process: what worker_main() does with one message, in the runner itself. False when it was
 * told to quit, or the supervisor is gone.
 */
bool worker_step(struct spk *spk);
/* Before the first worker_step(). */
void worker_settle_in_process(struct spk *spk);

/* Does one stage after the other as the supervisor says, until it says to quit or the runner dies.
 */
void worker_main(struct spk *spk, pid_t runner) __attribute__((noreturn));

#endif
