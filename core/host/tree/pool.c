/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"

struct chunk {
	struct chunk *next;
	alignas(max_align_t) unsigned char bytes[];
};

struct pool {
	struct chunk *chunks;
	size_t chunk_size, used, size; /* of the newest chunk */
};

struct pool *pool_new(size_t chunk)
{
	struct pool *pool = xcalloc(1, sizeof(*pool));

	pool->chunk_size = chunk ? chunk : 4000;
	return pool;
}

static void *take(struct pool *pool, size_t length, size_t alignment)
{
	size_t at = (pool->used + alignment - 1) & ~(alignment - 1);
	struct chunk *chunk;

	if (!pool->chunks || at > pool->size || length > pool->size - at) {
		pool->size = length > pool->chunk_size ? length : pool->chunk_size;
		chunk = xreallocarray(NULL, 1, sizeof(*chunk) + pool->size);
		chunk->next = pool->chunks;
		pool->chunks = chunk;
		at = 0;
	}
	pool->used = at + length;
	return pool->chunks->bytes + at;
}

void *pool_alloc(struct pool *pool, size_t count, size_t size)
{
	size_t length;

	if (__builtin_mul_overflow(count, size, &length) || length > SIZE_MAX / 2)
		abort();
	return memset(take(pool, length, alignof(max_align_t)), 0, length);
}

char *pool_text(struct pool *pool, const char *text, size_t length)
{
	char *copy = take(pool, length + 1, 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

void pool_clear(struct pool *pool)
{
	struct chunk *next;

	for (; pool->chunks && pool->chunks->next; pool->chunks = next) {
		next = pool->chunks->next;
		free(pool->chunks);
	}
	pool->size = pool->chunk_size; /* no chunk is smaller */
	pool->used = 0;
}

void pool_free(struct pool *pool)
{
	struct chunk *next;

	if (!pool)
		return;
	for (struct chunk *chunk = pool->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(pool);
}
