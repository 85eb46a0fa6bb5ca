/* SPDX-License-Identifier: Apache-2.0 */
/* How many columns of a terminal a text takes. For printable UTF-8, in a locale that has it. */
#ifndef SPICERACK_HOST_WIDTH_H
#define SPICERACK_HOST_WIDTH_H

#include <stddef.h>

#include "../runtime/buf.h"

size_t width_of(const char *text);

/* Appends the text; of one that is wider than `columns`, what fits before an ellipsis. */
void width_add(struct buf *out, const char *text, size_t columns);

#endif
