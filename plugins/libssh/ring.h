/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that are put in at one end and taken out at the other. Room is made as they come. */
#ifndef SPICERACK_LIBSSH_RING_H
#define SPICERACK_LIBSSH_RING_H

#include <stddef.h>

/* Zeroed: empty. */
struct ring {
	char *bytes;
	size_t size, at, length; /* `length` of them, from `at` on */
};

void ring_put(struct ring *ring, const char *bytes, size_t length);

/* The oldest ones that lie together, of which there are *ret_length; they stay until dropped. */
const char *ring_first(const struct ring *ring, size_t *ret_length);

/* Drops the oldest `length` ones, which are no more than there are. */
void ring_drop(struct ring *ring, size_t length);

void ring_free(struct ring *ring);

#endif
