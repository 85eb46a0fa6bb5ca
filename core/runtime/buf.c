/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* Nobody makes a buffer of secrets shorter but buf_clear(): behind its length nothing is left. */
static void wipe(struct buf *buf)
{
	if (buf->text)
		explicit_bzero(buf->text, buf->length);
}

static char *reserve(struct buf *buf, size_t more)
{
	size_t need = buf->length + more + 1;

	if (need > buf->capacity) {
		size_t capacity = need + need / 2 + 32;
		char *text = xreallocarray(NULL, capacity, 1);

		if (buf->text)
			memcpy(text, buf->text, buf->length);
		wipe(buf);
		free(buf->text);
		buf->text = text;
		buf->capacity = capacity;
	}
	return buf->text + buf->length;
}

void buf_add(struct buf *buf, const void *bytes, size_t length)
{
	char *end = reserve(buf, length);

	if (length)
		memcpy(end, bytes, length);
	buf->length += length;
	buf->text[buf->length] = '\0';
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_fill(struct buf *buf, char c, size_t count)
{
	memset(reserve(buf, count), c, count);
	buf->length += count;
	buf->text[buf->length] = '\0';
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
	va_list again;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length <= 0)
		return;
	vsnprintf(reserve(buf, (size_t)length), (size_t)length + 1, format, args);
	buf->length += (size_t)length;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(buf, format, args);
	va_end(args);
}

const char *buf_text(const struct buf *buf)
{
	return buf->text ? buf->text : "";
}

void buf_clear(struct buf *buf)
{
	wipe(buf);
	buf->length = 0;
	if (buf->text)
		buf->text[0] = '\0';
}

void buf_free(struct buf *buf)
{
	wipe(buf);
	free(buf->text);
	*buf = (struct buf){0};
}
