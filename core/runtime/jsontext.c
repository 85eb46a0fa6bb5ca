/* SPDX-License-Identifier: Apache-2.0 */
#include "jsontext.h"

#include <stdint.h>
#include <string.h>

#include "printable.h"

/* What stands for itself; most of every text. */
static int is_plain(char c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

/* As one unit of UTF-16, or two. */
static void put_escape(struct buf *out, uint32_t point)
{
	if (point >= 0x10000) {
		buf_printf(out, "\\u%04x", 0xd800 + ((point - 0x10000) >> 10));
		point = 0xdc00 + ((point - 0x10000) & 0x3ff);
	}
	buf_printf(out, "\\u%04x", point);
}

/* Appends the character at `text` and returns how many bytes it has. */
static size_t put_character(struct buf *out, const char *text, size_t length)
{
	uint32_t point = 0;
	size_t used = printable_decode(text, length, &point);

	if (used == 0) {
		buf_printf(out, "\\\\x%02x", (unsigned char)*text);
		return 1;
	}
	if (*text == '"' || *text == '\\') {
		buf_putc(out, '\\');
		buf_putc(out, *text);
	} else if (*text == '\n') {
		buf_puts(out, "\\n");
	} else if (*text == '\t') {
		buf_puts(out, "\\t");
	} else if (printable_is(text, used)) {
		buf_add(out, text, used);
	} else {
		put_escape(out, point);
	}
	return used;
}

void json_put_text(struct buf *out, const char *text)
{
	size_t length = text ? strlen(text) : 0;

	if (!text) {
		buf_puts(out, "null");
		return;
	}
	buf_putc(out, '"');
	for (size_t i = 0, end; i < length; i = end) {
		end = i;
		while (end < length && is_plain(text[end]))
			end++;
		if (end > i)
			buf_add(out, text + i, end - i);
		else
			end += put_character(out, text + i, length - i);
	}
	buf_putc(out, '"');
}

void json_put_member(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "\"%s\": ", name);
	json_put_text(out, text);
}
