/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing text or byte buffer. Zero-initialised is empty; `text` is then NULL, else it ends in
 * NUL. What it held may have been secret: it is overwritten before the memory is given back,
 * moved or kept for more.
 */
#ifndef SPICERACK_CORE_BUF_H
#define SPICERACK_CORE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *text;
	size_t length;
	size_t capacity;
};

void buf_add(struct buf *buf, const void *bytes, size_t length);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args)
	__attribute__((__format__(__printf__, 2, 0)));
/* `count` times the same byte. */
void buf_fill(struct buf *buf, char c, size_t count);
/* The text, never NULL; valid until the next call. */
const char *buf_text(const struct buf *buf);
/* Keeps the memory for more. */
void buf_clear(struct buf *buf);
void buf_free(struct buf *buf);

#endif
