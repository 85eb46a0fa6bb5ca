/* SPDX-License-Identifier: Apache-2.0 */
/* What the log says about a cookbook that failed: causes and backtraces. */
#ifndef SPICERACK_HOST_REPORT_H
#define SPICERACK_HOST_REPORT_H

#include "link.h"

/*
 * Logs the error that the last result of the link brought: `what` was being done with
 * the cookbook `name`, then the chain of causes and the calls that led there.
 */
void report_error(struct link *link, const char *name, const char *what);

/* Logs the death that the last event of the link told. */
void report_death(struct link *link, const char *name);

#endif
