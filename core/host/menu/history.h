/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator typed at the menu, kept for the next time in a file of his own: mode 0600, a
 * line each. Several menus may add to it at the same time.
 */
#ifndef SPICERACK_HOST_HISTORY_H
#define SPICERACK_HOST_HISTORY_H

#include <stddef.h>

#include "../../runtime/err.h"

#define HISTORY_LINES 500

/*
 * Opens or makes the file in the directory, which is made, too (0700), and calls `each` with its
 * last HISTORY_LINES lines. What is older goes when there is much of it. Refused, as -1 with the
 * reason: what is not trusted (trust.h), not a regular file, not the caller's own, or has a second
 * name. Returns a descriptor for history_add().
 */
MUST_CHECK int history_open(const char *directory, const char *name,
			    void (*each)(void *data, const char *line), void *data,
			    struct err *err);

/* Adds a line, unless it begins with a blank or is longer than anybody types. */
void history_add(int fd, const char *line);

#endif
