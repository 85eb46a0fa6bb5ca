/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a POSIX shell, without a session. */
#ifndef SPICERACK_CORE_SHELL_H
#define SPICERACK_CORE_SHELL_H

#include <stdarg.h>
#include <stddef.h>

#include <spicerack/value.h>

/*
 * Writes the bytes as one word, unchanged when they hold nothing special, to `out`, which may
 * be NULL: then it only counts. No NUL is added. Returns the length, at most 4 * length + 2.
 */
size_t shell_quote(const char *text, size_t length, char *out);

/*
 * As spk_shell_split(). -1 and no words when a quote is not closed. The caller frees
 * `ret_words->items`, which holds the words, too.
 */
__attribute__((warn_unused_result)) int shell_split(const char *line, spk_strings *ret_words);

struct spk;

/* spk_shell_format() with the arguments of somebody else, in memory of the run. */
const char *shell_vformat(struct spk *spk, const char *format, va_list list)
	__attribute__((__format__(__printf__, 2, 0)));

#endif
