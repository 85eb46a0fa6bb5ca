/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a function of the core failed: a fixed buffer, nothing to free. A function
 * that takes a `struct err *` returns -1 (or NULL) with the reason in it, one line
 * for the operator: lower case, verb, object, cause; it does not log.
 */
#ifndef SPICERACK_CORE_ERR_H
#define SPICERACK_CORE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))

struct err {
	char text[512];
};

/* Sets the reason, cut with an ellipsis when too long. `err` may be NULL. Returns -1. Keeps errno.
 */
int err_set(struct err *err, const char *format, ...) __attribute__((__format__(__printf__, 2, 3)));

/* err_set() with `: ` and the text of errno behind it. Returns -1. */
int err_errno(struct err *err, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

#endif
