/* SPDX-License-Identifier: Apache-2.0 */
#include "width.h"

#include <string.h>
#include <wchar.h>

#define ELLIPSIS "\u2026"

/* The columns of the character at `text`, *ret_length being its bytes. */
static size_t next(const char *text, size_t *ret_length)
{
	mbstate_t state = {0};
	wchar_t point;
	size_t length = mbrtowc(&point, text, strlen(text), &state);
	int columns;

	/* A locale without it, or a text that is none: a byte each. */
	if (length == (size_t)-1 || length == (size_t)-2 || length == 0) {
		*ret_length = 1;
		return 1;
	}
	*ret_length = length;
	columns = wcwidth(point);
	return columns < 0 ? 1 : (size_t)columns;
}

size_t width_of(const char *text)
{
	size_t columns = 0, length;

	for (; *text; text += length)
		columns += next(text, &length);
	return columns;
}

void width_add(struct buf *out, const char *text, size_t columns)
{
	size_t used = 0, fits = 0, at = 0, length;

	/* What is at most one column short of the end leaves room for the ellipsis. */
	while (text[at] && used <= columns) {
		used += next(text + at, &length);
		if (used < columns)
			fits = at + length;
		at += length;
	}
	if (used <= columns) {
		buf_puts(out, text);
	} else if (columns > 0) {
		buf_add(out, text, fits);
		buf_puts(out, ELLIPSIS);
	}
}
