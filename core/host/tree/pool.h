/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of many small things that live and die together. */
#ifndef SPICERACK_HOST_POOL_H
#define SPICERACK_HOST_POOL_H

#include <stddef.h>

struct pool;

/* An empty pool, which allocates `chunk` bytes at a time (0: a sensible number). Free it with
 * pool_free(). */
struct pool *pool_new(size_t chunk);

/* Zeroed memory for count * size bytes, aligned for any type; aborts without memory, as mem.h does.
 */
void *pool_alloc(struct pool *pool, size_t count, size_t size)
	__attribute__((alloc_size(2, 3), returns_nonnull));

/* A copy with a NUL behind it. */
char *pool_text(struct pool *pool, const char *text, size_t length)
	__attribute__((returns_nonnull));

/* Forgets all that was allocated, keeping some memory for more. */
void pool_clear(struct pool *pool);

void pool_free(struct pool *pool);

#endif
