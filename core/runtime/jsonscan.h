/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259) as slices of its text: what is not changed stays byte by byte, numbers of any
 * length included.
 */
#ifndef SPICERACK_CORE_JSONSCAN_H
#define SPICERACK_CORE_JSONSCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* A value within a text, without blanks around it. */
struct json_slice {
	const char *text; /* NULL: none */
	size_t length;
};

/*
 * Whether the text is one value and nothing else, at most 64 levels deep and of UTF-8; *ret is
 * then it. The functions below are for what this has said yes to, or what is in that.
 */
bool jsonscan_value(const char *text, size_t length, struct json_slice *ret);

/* '{', '[', '"', 't', 'f', 'n'; '0' of a number. */
char jsonscan_type(struct json_slice value);

/* Walks over the members of an object or the items of a list. */
struct jsonscan_walk {
	const char *at, *end;
	bool members;
	struct json_slice name; /* of a member: a string */
	struct json_slice value;
};

void jsonscan_walk_start(struct jsonscan_walk *walk, struct json_slice value);
bool jsonscan_walk_next(struct jsonscan_walk *walk);

/* Whether a string is this text. */
bool jsonscan_is(struct json_slice string, const char *text);
/* The member of an object; the last one, if there are several. */
struct json_slice jsonscan_member(struct json_slice object, const char *name);
/* Appends the text of a string. False, and some of it, when there is a NUL or half a character in
 * it. */
bool jsonscan_text(struct json_slice string, struct buf *out);
/* A number without fraction and exponent that fits. */
bool jsonscan_integer(struct json_slice number, long long *ret);

/*
 * Appends the value in one way of writing: no blanks, strings as json_put_text(), members in the
 * order of their names. Two values are equal when that is.
 */
void jsonscan_canonical(struct json_slice value, struct buf *out);
bool jsonscan_equal(struct json_slice a, struct json_slice b);

#endif
