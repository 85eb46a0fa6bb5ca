/* SPDX-License-Identifier: Apache-2.0 */
/* Copies in memory of the run. */
#ifndef SPICERACK_CORE_COPY_H
#define SPICERACK_CORE_COPY_H

#include <string.h>

#include <spicerack/session.h>

#include "buf.h"

/* `length` bytes and a NUL. */
static inline char *copy_bytes(struct spk *spk, const char *bytes, size_t length)
{
	char *copy = spk_alloc(spk, length + 1);

	if (length)
		memcpy(copy, bytes, length);
	return copy;
}

static inline char *copy_text(struct spk *spk, const char *text)
{
	return copy_bytes(spk, text, strlen(text));
}

/* The text of a buffer, which is freed, however this ends. */
const char *copy_buf(struct spk *spk, struct buf *buf);

#endif
