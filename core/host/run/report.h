/* SPDX-License-Identifier: Apache-2.0 */
/* What the log says about a cookbook that failed: causes and backtraces. */
#ifndef SPICERACK_HOST_REPORT_H
#define SPICERACK_HOST_REPORT_H

#include "run_state.h"

/*
 * Logs the error that the last result of the run's link brought: `what` was being done with the
 * cookbook, then the chain of causes and the calls that led there. Of a command of the host's own
 * the calls are a debug message.
 */
void report_error(struct run *run, const char *what);

/* Logs the death that the last event of the run's link told. */
void report_death(struct run *run);

#endif
