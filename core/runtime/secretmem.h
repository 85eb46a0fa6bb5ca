/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for secrets: pages of one process alone, locked, in no core dump, empty in a child
 * that was forked, wiped when given back.
 */
#ifndef SPICERACK_CORE_SECRETMEM_H
#define SPICERACK_CORE_SECRETMEM_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/*
 * Zeroed pages, or NULL with the reason. Locking is tried and not insisted on, since a user's
 * limit (RLIMIT_MEMLOCK) is small: *ret_locked, unless NULL, tells what came of it.
 */
void *secretmem_map(size_t size, bool *ret_locked, struct err *err);

/* Wipes and gives back what secretmem_map() returned for the same size. NULL is fine. */
void secretmem_unmap(void *memory, size_t size);

#endif
