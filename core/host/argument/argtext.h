/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text as argparse measures and quotes it: in code points, bytes that are not
 * UTF-8 counting one each, wrapped as Python's textwrap does.
 */
#ifndef SPICERACK_HOST_ARGTEXT_H
#define SPICERACK_HOST_ARGTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../runtime/buf.h"

/*
 * The code point at *text, which moves behind it. A byte that is not UTF-8 is taken
 * alone and returned as 0xdc00 + byte. Not for an empty text.
 */
uint32_t argtext_next(const char **text);

size_t argtext_length(const char *text);

/* In quotes, as Python's repr() of a string; a byte that is not UTF-8 is `\xNN`. */
void argtext_repr(struct buf *out, const char *text);

/* As it is, save for what a terminal would act upon or not show: escaped as in argtext_repr(). */
void argtext_escape(struct buf *out, const char *text);

/*
 * The words of `text` in lines of at most `width` columns (at least 1), each ending in a
 * newline; the first starts with `first` blanks and the others with `indent`.
 */
void argtext_wrap(struct buf *out, const char *text, size_t width, size_t first, size_t indent);

/* Appends `text` line by line, each with `indent` blanks before it. */
void argtext_indent(struct buf *out, const char *text, size_t indent);

/* Takes blanks of any kind off both ends. */
void argtext_strip(struct buf *text);

#endif
