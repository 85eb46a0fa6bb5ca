/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads JSON (RFC 8259) by the letter, whoever wrote it: valid UTF-8, no NUL in a text, nothing
 * behind the value. Numbers are told as they are written. Needs no memory of its own, so a sink may
 * raise.
 */
#ifndef SPICERACK_CORE_JSONREAD_H
#define SPICERACK_CORE_JSONREAD_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define JSON_DEPTH 500
#define JSON_VALUES 1000000

enum json_scalar { JSON_TEXT, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL };

/* Is told what comes, in order. Each may raise. */
struct json_sink {
	void (*open)(void *data, bool object);
	void (*close)(void *data);
	/* Of the member whose value comes next. false: refused, with the reason. */
	bool (*name)(void *data, const char *name, struct err *err);
	void (*scalar)(void *data, enum json_scalar type, const char *text);
};

/*
 * Reads `length` bytes. Texts are put into `pool`, which has room for `length` + 1 bytes, and stay
 * there, each with a NUL. -1 with `line L, column C: ...`, C in bytes from 1, when it is no JSON;
 * errno is E2BIG then when, and only when, it has too many levels or values.
 */
MUST_CHECK int json_read(const char *text, size_t length, char *pool, const struct json_sink *sink,
			 void *data, struct err *err);

/* How many bytes at the start of `text` are a number of JSON; 0: none. */
size_t json_number_length(const char *text, size_t length);

#endif
