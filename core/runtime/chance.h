/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of chance, for names. */
#ifndef SPICERACK_CORE_CHANCE_H
#define SPICERACK_CORE_CHANCE_H

#include <stddef.h>

/*
 * Fills `bytes`, at most 256. Without a source of chance: from what no other process and no other
 * call has; nobody need be unable to guess it.
 */
void chance_fill(void *bytes, size_t size);

#endif
