/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of OpenSSH's files: `*` is any text, `?` one character; lists of them with `!`. */
#ifndef SPICERACK_LIBSSH_PATTERN_H
#define SPICERACK_LIBSSH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* Takes time of the product of both lengths at most. */
bool pattern_matches(const char *text, const char *pattern);

/* 1: matches; 0: does not; -1: one with a `!` matches. `fold`: the list is lowered before. */
int pattern_list_match(const char *text, const char *list, size_t length, bool fold);

/* Whether it has any of * ? ! */
bool pattern_is_one(const char *text, size_t length);

/* Lowers ASCII letters in place. */
void pattern_lower(char *text);

#endif
