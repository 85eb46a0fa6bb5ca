/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded: shows each allocation to `inject` as a system call that there is
 * not. Who is not traced gets ENOSYS and goes on; a result above 0 means that this
 * allocation is to fail. So allocations have roles, numbers and call sites like all other calls.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alloc.h"

#define EXPORT __attribute__((__visibility__("default")))

/* The allocator itself, below the names that this file takes. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static int fails(enum alloc_kind kind)
{
	int saved = errno;
	long told = syscall(ALLOC_CALL, kind);

	errno = told > 0 ? ENOMEM : saved;
	return told > 0;
}

EXPORT void *malloc(size_t size)
{
	return fails(ALLOC_MALLOC) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
	return fails(ALLOC_CALLOC) ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *old, size_t size)
{
	return fails(ALLOC_REALLOC) ? NULL : __libc_realloc(old, size);
}

EXPORT void *reallocarray(void *old, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, total);
}
