/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes old journals: those that were last written to longer ago than the age limit, and the
 * oldest of the others while all together are larger than the size limit. Never one whose run goes
 * on; for its size never one that owes a rollback.
 */
#ifndef SPICERACK_HOST_PRUNE_H
#define SPICERACK_HOST_PRUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../runtime/err.h"
#include "../setting/settings.h"

struct prune_limits {
	int64_t age_s; /* 0: none */
	int64_t bytes; /* likewise */
};

/* Those of the configuration. */
struct prune_limits prune_limits_of(const struct settings *settings);

/*
 * Removes what is to go and counts it. What cannot be removed stays; -1 with the first reason for
 * that, after all others were tried.
 */
MUST_CHECK int journal_prune(const char *directory, const struct prune_limits *limits,
			     size_t *ret_removed, struct err *err);

/* Whether that was done in the last hours by nobody: then it is the caller's turn. */
bool journal_prune_is_due(const char *directory);

#endif
