/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts with several numbers in their names as few expressions: db[1,3]-[7-8] is a vector of two
 * sets, and stands for all combinations of what is in them.
 */
#ifndef SPICERACK_CORE_HOSTVECTORS_H
#define SPICERACK_CORE_HOSTVECTORS_H

#include "boxes.h"

/* As many vectors of numbers are put together exactly as ClusterShell does it, which takes long. */
#define HOSTVECTORS_EXACT 4096

struct hostvector {
	struct boxes sets[BOXES_DIMENSIONS]; /* settled, of one dimension each */
	uint64_t size;                       /* combinations */
	size_t place;                        /* in the list, while that is sorted */
};

struct hostvectors {
	struct hostvector **items;
	size_t count, capacity;
	unsigned int dimensions;
};

/*
 * The vectors of a settled list of at least two dimensions, no two of which have a combination
 * in common: one where that is possible; up to HOSTVECTORS_EXACT numbers those that ClusterShell
 * finds, in its order. The same ones for the same numbers.
 */
void hostvectors_make(const struct boxes *boxes, struct hostvectors *ret);
void hostvectors_free(struct hostvectors *vectors);

#endif
