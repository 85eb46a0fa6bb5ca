/* SPDX-License-Identifier: Apache-2.0 */
/* A growing text, and the ways in which bytes are written in requests and answers. */
#ifndef SPICERACK_BASE_TEXT_H
#define SPICERACK_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spicerack/plugin.h>

/* Zero-initialised is empty; `bytes` is then NULL, else it ends in NUL. */
struct text {
	char *bytes;
	size_t length, capacity;
};

void text_add(struct text *text, const void *bytes, size_t length);
void text_puts(struct text *text, const char *added);
void text_printf(struct text *text, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));
/* Takes the first `length` bytes away. */
void text_consume(struct text *text, size_t length);
void text_clear(struct text *text);
void text_free(struct text *text);

void text_add_base64(struct text *text, const void *bytes, size_t length);
/* False, and the text as it was, when it is not exactly that. */
bool text_add_from_base64(struct text *text, const char *base64);
/* What is in a path or a form: all but letters, digits and -._~ as %XX. */
void text_add_escaped(struct text *text, const char *added);

/* Writes the reason of a failure: one line, of printable ASCII whatever is formatted into it. */
void reason_set(struct spk_reason_buffer *reason, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* All of it a decimal number of 0 to `most`. */
bool parse_number(const char *text, uint64_t most, uint64_t *ret_number);

/*
 * The time of day in locks: "2026-11-22 15:39:13.069018+00:00", the fraction absent when it is 0.
 * Any offset is read, none is an error.
 */
#define STAMP_SIZE 40
void stamp_write(int64_t realtime_ns, char out[static STAMP_SIZE]);
bool stamp_read(const char *text, int64_t *ret_realtime_ns);

#endif
