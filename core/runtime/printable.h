/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign text made fit for one line of a terminal or a log. */
#ifndef SPICERACK_CORE_PRINTABLE_H
#define SPICERACK_CORE_PRINTABLE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* The code point at `text` and its length in bytes; 0 where it is no UTF-8. `length` is not 0. */
size_t printable_decode(const char *text, size_t length, uint32_t *ret_point);

/*
 * Appends the first `length` bytes of `text`, UTF-8, with what could move a cursor, break the line,
 * reorder it or is no UTF-8 written as \xNN.
 */
void printable_add(struct buf *buf, const char *text, size_t length);

/* Whether printable_add() would leave all of it as it is. */
int printable_is(const char *text, size_t length);

#define PRINTABLE_PATH_SIZE 320

/*
 * A path for a message of struct err: printable, and when it is long without its middle, so
 * that the reason behind it is not cut off. Returns `out`.
 */
const char *printable_path(const char *path, char out[static PRINTABLE_PATH_SIZE]);

#endif
