/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of a driver. What is given back is overwritten first, for it may have held a password,
 * a token or a request with one; libcurl and cJSON are made to use these calls, too. Without
 * memory they say so and abort, as those of the host do.
 */
#ifndef SPICERACK_BASE_MEMORY_H
#define SPICERACK_BASE_MEMORY_H

#include <stddef.h>

/* Zeroed. */
void *memory_new(size_t count, size_t size) __attribute__((alloc_size(1, 2), returns_nonnull));
/* May be smaller than before; what was there is wiped where it is left. */
void *memory_resize(void *old, size_t size) __attribute__((returns_nonnull));
char *memory_copy(const char *text) __attribute__((returns_nonnull));
char *memory_copy_n(const char *text, size_t length) __attribute__((returns_nonnull));
void *memory_raw(size_t size) __attribute__((alloc_size(1), returns_nonnull));
void memory_free(void *old);

/*
 * Makes room for one more element in an array of `count` elements with room for *capacity; returns
 * the array, perhaps moved. The new element is zeroed.
 */
void *memory_grow(void *array, size_t count, size_t *capacity, size_t size)
	__attribute__((returns_nonnull));

#endif
