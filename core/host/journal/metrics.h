/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers about runs for Prometheus, in a file for the textfile collector of its node exporter. The
 * file is all that is kept: each run adds itself to what stands there, one after the other.
 */
#ifndef SPICERACK_HOST_METRICS_H
#define SPICERACK_HOST_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "../../runtime/err.h"

/* A run that has ended. */
struct metrics_run {
	const char *cookbook;
	const char *result; /* "PASS" ... */
	bool owed;          /* it owes a rollback, or its rollback failed */
	int64_t duration_ns, lock_wait_ns;
	int64_t end_s; /* of the wall clock */
};

/*
 * Adds the run. The file is replaced as a whole, so that no reader sees a part of it; what stands
 * there and is none of ours is dropped. -1 with the reason, also when others keep it busy for long.
 */
MUST_CHECK int metrics_add(const char *path, const struct metrics_run *run, struct err *err);

#endif
