/* SPDX-License-Identifier: Apache-2.0 */
#include "secretmem.h"

#include <string.h>
#include <sys/mman.h>

void *secretmem_map(size_t size, bool *ret_locked, struct err *err)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		err_errno(err, "cannot map memory for a secret");
		return NULL;
	}
	if (madvise(memory, size, MADV_DONTDUMP) < 0 ||
	    madvise(memory, size, MADV_WIPEONFORK) < 0) {
		err_errno(err, "cannot keep a secret out of core dumps and children");
		munmap(memory, size);
		return NULL;
	}
	if (mlock(memory, size) == 0) {
		if (ret_locked)
			*ret_locked = true;
	} else if (ret_locked) {
		*ret_locked = false;
	}
	return memory;
}

void secretmem_unmap(void *memory, size_t size)
{
	if (!memory)
		return;
	explicit_bzero(memory, size);
	munmap(memory, size);
}
