/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a set of hosts consists of, for those who read and make sets: parts, which are hosts whose
 * names differ in their numbers only. The text of a part is such a name with a mark for each
 * number.
 */
#ifndef SPICERACK_CORE_HOSTBLOCK_H
#define SPICERACK_CORE_HOSTBLOCK_H

#include "hostset.h"

/* No host has it in its name. */
#define HOSTBLOCK_MARK '%'

struct hostblock_part {
	uint64_t first;  /* hosts in the parts before */
	uint64_t ranges; /* number of its first range */
	uint32_t text;   /* byte of its text */
	uint32_t dimensions;
};

/* Behind it stand the ranges, then the texts. */
struct hostset {
	uint64_t bytes;
	uint64_t parts;
	uint64_t ranges;
	struct hostblock_part
		part[]; /* in the order of their texts; one more, where the last ends */
};

const char *hostblock_text(const struct hostset *set, size_t part);
/* The numbers of a part, settled. They belong to the set and must not be changed. */
struct boxes hostblock_boxes(const struct hostset *set, size_t part);
/* The part of that text, or where it would stand: *ret_found tells. */
size_t hostblock_find(const struct hostset *set, const char *text, bool *ret_found);

/* A set that is being written. Zero is empty. */
struct hostblock {
	struct buf texts;
	struct hostblock_part *parts;
	size_t count, capacity;
	struct range *ranges;
	size_t ranges_count, ranges_capacity;
	uint64_t hosts;
	bool full;
};

/* Adds a part behind all others, in the order of their texts, unless it has no boxes. */
void hostblock_add(struct hostblock *block, const char *text, const struct boxes *settled);
/* Makes the set, and frees what was written, also when it fails: there is too much. */
MUST_CHECK int hostblock_finish(struct hostblock *block, struct hostset **ret, struct err *err);

#endif
