/* SPDX-License-Identifier: Apache-2.0 */
#include "ring.h"

#include <string.h>

#include "../base/memory.h"

/* Most of what is put into one is short. */
#define LEAST 256

static size_t lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

const char *ring_first(const struct ring *ring, size_t *ret_length)
{
	*ret_length = lesser(ring->size - ring->at, ring->length);
	return ring->bytes + ring->at;
}

static void widen(struct ring *ring, size_t wanted)
{
	size_t size = ring->size ? ring->size : LEAST, first;
	const char *old = ring_first(ring, &first);
	char *wider;

	while (size < wanted)
		size *= 2;
	if (size == ring->size)
		return;
	wider = memory_raw(size);
	if (ring->length > 0) {
		memcpy(wider, old, first);
		memcpy(wider + first, ring->bytes, ring->length - first);
	}
	memory_free(ring->bytes);
	ring->bytes = wider;
	ring->size = size;
	ring->at = 0;
}

void ring_put(struct ring *ring, const char *bytes, size_t length)
{
	size_t at, first;

	if (length == 0)
		return;
	widen(ring, ring->length + length);
	at = (ring->at + ring->length) % ring->size;
	first = lesser(ring->size - at, length);
	memcpy(ring->bytes + at, bytes, first);
	memcpy(ring->bytes, bytes + first, length - first);
	ring->length += length;
}

void ring_drop(struct ring *ring, size_t length)
{
	if (length == 0)
		return;
	ring->at = (ring->at + length) % ring->size;
	ring->length -= length;
}

void ring_free(struct ring *ring)
{
	memory_free(ring->bytes);
	*ring = (struct ring){0};
}
