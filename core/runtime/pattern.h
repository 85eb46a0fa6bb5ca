/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions for the host and for the SDK, by the regex driver, without a session. */
#ifndef SPICERACK_CORE_PATTERN_H
#define SPICERACK_CORE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

struct pattern;

/* Byte offsets; both are SIZE_MAX for a group that took no part. */
struct pattern_span {
	size_t start;
	size_t end;
};

/*
 * The compiled pattern, remembered for the life of the process. NULL with the reason when the
 * driver is missing or the pattern is wrong.
 */
struct pattern *pattern_compile(const char *text, struct err *err);

/*
 * The first match from byte `start` on: the number of the pattern's groups and one for the
 * whole, 0 for no match, -1 with the reason, also for too many steps. Stores `room` spans at
 * most; those that the pattern does not have take no part.
 */
MUST_CHECK int pattern_search(struct pattern *pattern, const char *text, size_t length,
			      size_t start, struct pattern_span *spans, size_t room,
			      struct err *err);

/* The number of a named group, or -1. */
int pattern_group(struct pattern *pattern, const char *name);

/*
 * Every match replaced, into `out` of *length bytes. 0, or 1 when *length, which then says how
 * much is needed with the NUL, was not enough; -1 with the reason.
 */
MUST_CHECK int pattern_substitute(struct pattern *pattern, const char *text,
				  const char *replacement, char *out, size_t *length,
				  struct err *err);

/* Whether the pattern matches the whole text: 1, 0, or -1 with the reason. */
MUST_CHECK int pattern_matches(const char *pattern, const char *text, struct err *err);

#endif
