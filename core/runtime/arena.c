/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <sys/mman.h>

#define ALIGNMENT 16

int arena_create(struct shared **ret, struct err *err)
{
	struct shared *shared = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (shared == MAP_FAILED)
		return err_errno(err, "cannot map the memory of the run");
	if (madvise(shared, ARENA_SIZE, MADV_DONTDUMP) < 0) {
		err_errno(err, "cannot keep the memory of the run out of core dumps");
		munmap(shared, ARENA_SIZE);
		return -1;
	}
	shared->used = (sizeof(*shared) + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	*ret = shared;
	return 0;
}

void *arena_alloc(struct shared *shared, size_t size, bool reserve)
{
	size_t limit = ARENA_SIZE - (reserve ? 0 : ARENA_RESERVE);
	size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	void *memory;

	/* A cookbook may have scribbled over `used`. */
	if (rounded < size || shared->used < sizeof(*shared) || shared->used > limit ||
	    rounded > limit - shared->used)
		return NULL;
	memory = (char *)shared + shared->used;
	shared->used += rounded ? rounded : ALIGNMENT;
	return memory;
}

bool arena_contains(const struct shared *shared, const void *address)
{
	const char *start = (const char *)shared;

	return (const char *)address >= start + sizeof(*shared) &&
	       (const char *)address < start + ARENA_SIZE;
}
