/* SPDX-License-Identifier: Apache-2.0 */
#include "textwidth.h"

#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "printable.h"

/* The C library knows the widths, but only in a locale of UTF-8; ours is left as it is. */
static int width_of_point(uint32_t point)
{
	static locale_t utf8;
	locale_t before;
	int width;

	if (point < 0x300) /* all of them have one, and most texts are made of these */
		return 1;
	if (!utf8)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (!utf8)
		return 1;
	before = uselocale(utf8);
	width = wcwidth((wchar_t)point);
	uselocale(before);
	return width < 0 ? 1 : width;
}

/* Goes on while the columns suffice; what it came to is in *ret_width. */
static size_t measure(const char *text, size_t length, size_t columns, size_t *ret_width)
{
	size_t at = 0, width = 0;

	while (at < length) {
		uint32_t point;
		size_t used = printable_decode(text + at, length - at, &point);
		size_t more = used ? (size_t)width_of_point(point) : 1;

		if (width + more > columns)
			break;
		width += more;
		at += used ? used : 1;
	}
	*ret_width = width;
	return at;
}

size_t textwidth_of(const char *text, size_t length)
{
	size_t width;

	measure(text, length, SIZE_MAX, &width);
	return width;
}

size_t textwidth_fit(const char *text, size_t length, size_t columns)
{
	size_t width;

	return measure(text, length, columns, &width);
}

void textwidth_add(struct buf *out, const char *text, size_t columns)
{
	size_t length = strlen(text);

	if (textwidth_fit(text, length, columns) == length) {
		buf_puts(out, text);
	} else if (columns > 0) {
		buf_add(out, text, textwidth_fit(text, length, columns - 1));
		buf_puts(out, "\u2026");
	}
}
