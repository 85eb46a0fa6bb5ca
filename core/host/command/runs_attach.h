/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack runs attach` and `stop`: what one can do to a durable run that goes on. */
#ifndef SPICERACK_HOST_RUNS_ATTACH_H
#define SPICERACK_HOST_RUNS_ATTACH_H

#include <stdbool.h>

#include "../../runtime/err.h"

/*
 * Lends the run the terminal until it has ended, which is then the exit code, or the operator lets
 * go, which is 0. What nobody has seen yet comes first, also of a run that has ended. -1 with the
 * reason: it could not be had.
 */
MUST_CHECK int runs_attach(const char *directory, const char *run, struct err *err);

/* Interrupts the run as Ctrl+C does, with `kill` as twice; says what that did. -1 with the reason.
 */
MUST_CHECK int runs_stop(const char *directory, const char *run, bool kill, struct err *err);

#endif
