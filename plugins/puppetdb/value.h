/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values in queries: what is quoted is a text; of the rest hexadecimal (0x1F) and octal (017)
 * numbers are whole numbers, decimal ones and `true` and `false` are themselves, and others are
 * texts.
 */
#ifndef SPICERACK_PUPPETDB_VALUE_H
#define SPICERACK_PUPPETDB_VALUE_H

#include <stdbool.h>

#include "../base/text.h"

struct value {
	bool is_text;     /* otherwise `text` is written in JSON as it is */
	struct text text; /* for text_free() */
};

/*
 * Reads the value that begins at `at`. Returns where it ends; `at` where none begins there; NULL
 * where it is a number that JSON does not have.
 */
const char *value_read(const char *at, const char *end, struct value *ret);

/* The end of what is quoted at `at`; `at` where nothing is. */
const char *quoted_end(const char *at, const char *end);

#endif
