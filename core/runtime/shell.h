/* SPDX-License-Identifier: Apache-2.0 */
/* One word for a POSIX shell, without a session. */
#ifndef SPICERACK_CORE_SHELL_H
#define SPICERACK_CORE_SHELL_H

#include <stddef.h>

/*
 * Writes the bytes as one word, unchanged when they hold nothing special, to `out`, which may
 * be NULL: then it only counts. No NUL is added. Returns the length, at most 4 * length + 2.
 */
size_t shell_quote(const char *text, size_t length, char *out);

#endif
