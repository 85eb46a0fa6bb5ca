/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of vectors of numbers, such as (1001, 2) for db1001.dc2, kept as boxes: a box has a range
 * in each dimension and stands for all vectors between. What is done with a set costs as much as
 * it has boxes, however many vectors those stand for.
 *
 * A settled list has its boxes in order, and each set of vectors has one settled list only: no two
 * boxes have a vector in common; two that share the range of one dimension, and of those before
 * it, stand together; where two ranges follow each other, what stands below them differs.
 */
#ifndef SPICERACK_CORE_BOXES_H
#define SPICERACK_CORE_BOXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define BOXES_DIMENSIONS 8
/* Ranges in one list: 128 MiB, enough for a million boxes of all dimensions. */
#define BOXES_MAX ((size_t)1 << 23)

/* From `low` to `high`, both included. */
struct range {
	uint64_t low, high;
};

/* Zero but for `dimensions` is empty. Without dimensions a box is the empty vector. */
struct boxes {
	struct range *ranges; /* `dimensions` for each box */
	size_t count;         /* boxes */
	size_t capacity;      /* ranges */
	unsigned int dimensions;
	bool full; /* more than BOXES_MAX were added: it is incomplete */
};

/* What a combination keeps: vectors that are in one list only, that are in both. */
struct boxes_kept {
	bool first, second, both;
};

void boxes_free(struct boxes *boxes);
/* Empty again; keeps the memory. */
void boxes_clear(struct boxes *boxes, unsigned int dimensions);
/* Adds `count` boxes at the end. */
void boxes_add(struct boxes *boxes, const struct range *ranges, size_t count);

/* Makes any list a settled one. -1: that would take more than BOXES_MAX. */
MUST_CHECK int boxes_settle(struct boxes *boxes);

/*
 * Appends to `out` the settled combination of two settled lists of the same dimensions. Sets
 * `out->full` when there is no room.
 */
void boxes_combine(const struct boxes *first, const struct boxes *second, struct boxes_kept kept,
		   struct boxes *out);

/* The number of vectors, UINT64_MAX for that many and more. */
uint64_t boxes_vectors(const struct boxes *boxes);

/* Whether a settled list has the vector. */
bool boxes_have(const struct boxes *boxes, const uint64_t *vector);

/*
 * Makes `out` the vectors of a settled list from number `skip` on in order, `count` of them. -1 as
 * boxes_settle().
 */
MUST_CHECK int boxes_slice(const struct boxes *boxes, uint64_t skip, uint64_t count,
			   struct boxes *out);

/* A walk over the vectors of a settled list in order, by their first number, then their second...
 */
struct boxes_walk {
	uint64_t vector[BOXES_DIMENSIONS]; /* where it is */
	const struct boxes *boxes;
	struct {
		size_t box, count; /* the boxes that share the ranges up to here */
		size_t end;        /* of those that share the ranges before */
	} level[BOXES_DIMENSIONS];
	bool started;
};

void boxes_walk_start(struct boxes_walk *walk, const struct boxes *boxes);
/* Goes to the first, then to the next vector; false: there is none. */
bool boxes_walk_next(struct boxes_walk *walk);

#endif
