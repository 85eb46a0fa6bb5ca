/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shapes in which a secret turns up when somebody encoded it: what the redactor looks for,
 * and what must not be among the words of a command.
 */
#ifndef SPICERACK_CORE_SECRETFORMS_H
#define SPICERACK_CORE_SECRETFORMS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/* Shorter ones are in too many innocent texts, longer ones are no secrets but data. */
#define SECRET_MIN 4
#define SECRET_MAX 65536

/* `part`: a line of a secret of several lines; else it stands for the whole secret. */
typedef int secretforms_sink(void *data, const char *form, size_t length, bool part);

/*
 * Calls `sink` for the text as it is, and then for each of these that differs from it:
 *
 *     base64, both alphabets, padded or within a longer text, at any of its three alignments;
 *         there without the digits that it shares with the bytes beside it
 *     percent-encoded: strictly, with lower-case digits, with slashes kept, with + for blanks
 *     escaped for a string of JSON, also with all that is not ASCII as \uXXXX
 *     the inside of a word in single quotes of a shell, in both styles
 *     without its newlines, and each of its lines of 8 bytes and more
 *
 * A form may come twice. Stops when `sink` does not return 0, and returns that; -1 with the
 * reason also when there is no memory. The forms live in secret memory and only during the call.
 */
int secretforms_make(const char *text, size_t length, secretforms_sink *sink, void *data,
		     struct err *err);

#endif
