/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of the host's own processes. These calls do not fail: without memory
 * they say so and abort, which in a worker is a crash that is rolled back. Memory
 * of a cookbook comes from the arena instead (arena.h).
 */
#ifndef SPICERACK_CORE_MEM_H
#define SPICERACK_CORE_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *xcalloc(size_t count, size_t size) __attribute__((alloc_size(1, 2), malloc, returns_nonnull));
/* Overflow of count * size aborts, too. New bytes are not zeroed. */
void *xreallocarray(void *old, size_t count, size_t size)
	__attribute__((alloc_size(2, 3), returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t length) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...)
	__attribute__((__format__(__printf__, 1, 2), malloc, returns_nonnull));
char *xvasprintf(const char *format, va_list args)
	__attribute__((__format__(__printf__, 1, 0), malloc, returns_nonnull));

/*
 * Overwrites what calls made before have left of their frames on the stack, 8 KiB deep: the
 * C library's formatting works with copies there, which may be of secrets.
 */
void mem_wipe_stack(void) __attribute__((noinline));

/*
 * Makes room for one more element in an array of `*capacity` elements of which
 * `count` are used; returns the array, perhaps moved.
 */
void *xgrow(void *array, size_t count, size_t *capacity, size_t size)
	__attribute__((returns_nonnull));

#endif
