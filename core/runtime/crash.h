/* SPDX-License-Identifier: Apache-2.0 */
/* The last words of a child that dies by its own fault: recorded in shared memory. */
#ifndef SPICERACK_CORE_CRASH_H
#define SPICERACK_CORE_CRASH_H

#include "arena.h"

/* In the runner: has what the handler needs loaded, since it cannot load anything. */
void crash_prepare(void);

/*
 * In a child: installs, on a stack of its own, a handler for the signals of faults and
 * abort() that fills in `crash` and lets the signal take its course, so that a core
 * file is written where the system wants one.
 */
void crash_install(struct crash *crash);

#endif
