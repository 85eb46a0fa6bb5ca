/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets that are alive in this process. A handle of a cookbook names one by place and
 * serial and may lie anywhere; the bytes lie here. In a child that was forked the list is empty.
 */
#ifndef SPICERACK_CORE_SECRETLIST_H
#define SPICERACK_CORE_SECRETLIST_H

#include <spicerack/value.h>

#include "err.h"

/* How many may be alive at a time. */
#define SECRETLIST_MAX 4096

struct secretlist_place {
	uint32_t index;
	uint64_t serial; /* of one process, with its pid; 0: none */
};

/* Keeps a copy of `text`. -1 with the reason. *ret_locked: see secretmem_map(). */
MUST_CHECK int secretlist_add(const char *text, size_t length, struct secretlist_place *ret,
			      bool *ret_locked, struct err *err);

/* The text, or NULL when it was removed or never was in this process. */
const char *secretlist_text(const struct secretlist_place *place);

/* Wipes it. One that is not there is fine. */
void secretlist_remove(const struct secretlist_place *place);

/* Whether `text` holds a secret of the list, as it is or encoded (secretforms.h). */
bool secretlist_is_in(const char *text);

#endif
