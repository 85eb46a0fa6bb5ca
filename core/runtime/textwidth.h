/* SPDX-License-Identifier: Apache-2.0 */
/* How many columns of a terminal a text takes: wide characters two, combining ones none. */
#ifndef SPICERACK_CORE_TEXTWIDTH_H
#define SPICERACK_CORE_TEXTWIDTH_H

#include "buf.h"

/* Of the first `length` bytes of UTF-8 without controls; a byte that is none counts as one. */
size_t textwidth_of(const char *text, size_t length);

/* How many bytes of it fit into so many columns, whole characters. */
size_t textwidth_fit(const char *text, size_t length, size_t columns);

/* Appends the text; of one that is wider than `columns`, what fits before an ellipsis. */
void textwidth_add(struct buf *out, const char *text, size_t columns);

#endif
