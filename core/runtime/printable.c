/* SPDX-License-Identifier: Apache-2.0 */
#include "printable.h"

#include <stdio.h>
#include <string.h>

size_t printable_decode(const char *bytes, size_t length, uint32_t *ret_point)
{
	const unsigned char *text = (const unsigned char *)bytes;
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t need = 1;
	uint32_t point;

	if (text[0] < 0x80) {
		*ret_point = text[0];
		return 1;
	}
	if ((text[0] & 0xe0) == 0xc0)
		need = 2;
	else if ((text[0] & 0xf0) == 0xe0)
		need = 3;
	else if ((text[0] & 0xf8) == 0xf0)
		need = 4;
	if (need == 1 || need > length)
		return 0;
	point = text[0] & (0x7fu >> need);
	for (size_t i = 1; i < need; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3f);
	}
	if (point < smallest[need] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return need;
}

/* Controls, line separators and marks of direction. */
static int harmless(uint32_t point)
{
	if (point < 0x20 || (point >= 0x7f && point < 0xa0))
		return 0;
	if (point >= 0x2028 && point <= 0x202e)
		return 0;
	if (point == 0x200e || point == 0x200f || point == 0x061c || point == 0xfeff)
		return 0;
	return point < 0x2066 || point > 0x2069;
}

/* How many bytes at `text` may be shown as they are; 0 when the first may not. */
static size_t shown(const char *text, size_t length)
{
	uint32_t point = 0;
	size_t used;

	if (*text >= ' ' && *text <= '~')
		return 1;
	used = printable_decode(text, length, &point);
	return used && harmless(point) ? used : 0;
}

void printable_add(struct buf *buf, const char *text, size_t length)
{
	for (size_t i = 0, used; i < length; i += used) {
		used = shown(text + i, length - i);
		if (used) {
			buf_add(buf, text + i, used);
		} else {
			buf_printf(buf, "\\x%02x", (unsigned char)text[i]);
			used = 1;
		}
	}
}

int printable_is(const char *text, size_t length)
{
	for (size_t i = 0, used; i < length; i += used) {
		used = shown(text + i, length - i);
		if (!used)
			return 0;
	}
	return 1;
}

const char *printable_path(const char *path, char out[static PRINTABLE_PATH_SIZE])
{
	size_t length = strlen(path);
	struct buf buf = {0};

	if (length < PRINTABLE_PATH_SIZE && printable_is(path, length)) {
		memcpy(out, path, length + 1);
		return out;
	}
	printable_add(&buf, path, length);
	if (buf.length < PRINTABLE_PATH_SIZE) {
		memcpy(out, buf.text, buf.length + 1);
	} else {
		size_t head = 60, tail = buf.length - (PRINTABLE_PATH_SIZE - 1 - head - 3);

		while (head && (buf.text[head] & 0xc0) == 0x80)
			head--;
		while ((buf.text[tail] & 0xc0) == 0x80)
			tail++;
		snprintf(out, PRINTABLE_PATH_SIZE, "%.*s...%s", (int)head, buf.text,
			 buf.text + tail);
	}
	buf_free(&buf);
	return out;
}
