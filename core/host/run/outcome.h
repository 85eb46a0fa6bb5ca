/* SPDX-License-Identifier: Apache-2.0 */
/* How a run ended: the exit codes that are ours, and the words for them. */
#ifndef SPICERACK_HOST_OUTCOME_H
#define SPICERACK_HOST_OUTCOME_H

#include <stdbool.h>

/* 93 to 99 are those of the Python host, 90 to 92 our own. Part of the ABI: never reused. */
enum {
	EXIT_OK = 0,
	EXIT_STARTUP = 1, /* configuration or start-up of the host */
	EXIT_USAGE = 2,
	EXIT_NO_LOCK = 90,
	EXIT_LOST_LOCK = 91,
	EXIT_CRASHED = 92,
	EXIT_ROLLBACK_FAILED = 93,
	EXIT_INIT_FAILED = 94,
	EXIT_NO_PARSER = 95,
	EXIT_PARSING_FAILED = 96,
	EXIT_INTERRUPTED = 97,
	EXIT_NO_COOKBOOK = 98,
	EXIT_RAISED = 99,
};

/* Whether run() may return this: 0, 1 to 89 or 100 to 127. */
static inline bool outcome_is_allowed(int code)
{
	return (code >= 0 && code < 90) || (code >= 100 && code < 128);
}

/* The word of the END line. */
static inline const char *outcome_word(int code)
{
	return code == EXIT_OK ? "PASS" : code == EXIT_INTERRUPTED ? "ERROR" : "FAIL";
}

#endif
