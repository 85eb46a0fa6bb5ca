/* SPDX-License-Identifier: Apache-2.0 */
/* A child of the runner: the only process in which code of a cookbook is called. */
#ifndef SPICERACK_CORE_WORKER_H
#define SPICERACK_CORE_WORKER_H

#include <sys/types.h>

#include "session.h"

/* Does one stage after the other as the supervisor says, until it says to quit or the runner dies.
 */
void worker_main(struct spk *spk, pid_t runner) __attribute__((noreturn));

#endif
