/* SPDX-License-Identifier: Apache-2.0 */
#include "hostvectors.h"

#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "mem.h"

#define UNION ((struct boxes_kept){true, true, true})

static void vector_free(struct hostvector *vector)
{
	for (unsigned int i = 0; vector && i < BOXES_DIMENSIONS; i++)
		boxes_free(&vector->sets[i]);
	free(vector);
}

void hostvectors_free(struct hostvectors *vectors)
{
	for (size_t i = 0; i < vectors->count; i++)
		vector_free(vectors->items[i]);
	free(vectors->items);
	*vectors = (struct hostvectors){0};
}

/* Adds a vector without anything in its sets. */
static struct hostvector *add_vector(struct hostvectors *vectors)
{
	struct hostvector *vector = xcalloc(1, sizeof(*vector));

	vectors->items = xgrow(vectors->items, vectors->count, &vectors->capacity,
			       sizeof(struct hostvector *));
	vectors->items[vectors->count++] = vector;
	for (unsigned int i = 0; i < vectors->dimensions; i++)
		vector->sets[i].dimensions = 1;
	return vector;
}

static bool same(const struct boxes *a, const struct boxes *b)
{
	return a->count == b->count &&
	       memcmp(a->ranges, b->ranges, a->count * sizeof(*a->ranges)) == 0;
}

static bool disjoint(const struct boxes *a, const struct boxes *b)
{
	for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
		if (a->ranges[i].high < b->ranges[j].low)
			i++;
		else if (b->ranges[j].high < a->ranges[i].low)
			j++;
		else
			return false;
	}
	return true;
}

/* Takes what the other has in this dimension; all else is the same. */
static void take_over(struct hostvector *vector, struct hostvector *other, unsigned int dimension)
{
	struct boxes both = {.dimensions = 1};

	boxes_combine(&vector->sets[dimension], &other->sets[dimension], UNION, &both);
	boxes_free(&vector->sets[dimension]);
	vector->sets[dimension] = both;
	vector->size += other->size;
	vector_free(other);
}

/* The one dimension in which two vectors differ, having nothing in common there; -1: not so. */
static int only_difference(const struct hostvectors *vectors, const struct hostvector *a,
			   const struct hostvector *b)
{
	int found = -1;

	for (unsigned int i = 0; i < vectors->dimensions; i++) {
		if (same(&a->sets[i], &b->sets[i]))
			continue;
		if (found >= 0 || !disjoint(&a->sets[i], &b->sets[i]))
			return -1;
		found = (int)i;
	}
	return found;
}

static int compare_digits(uint64_t a, uint64_t b)
{
	char one[DIGITS_MAX], other[DIGITS_MAX];
	size_t one_length = digits_text(a, one), other_length = digits_text(b, other);
	int order = memcmp(one, other, one_length < other_length ? one_length : other_length);

	return order ? order : (one_length > other_length) - (one_length < other_length);
}

static uint64_t first_of(const struct boxes *set)
{
	return set->ranges[0].low;
}

static uint64_t last_of(const struct boxes *set)
{
	return set->ranges[set->count - 1].high;
}

/*
 * ClusterShell's order: many combinations first; then, dimension by dimension, many numbers,
 * a low first, a low last one, as texts.
 */
static int compare_vectors(const void *a, const void *b, void *data)
{
	const struct hostvector *one = *(const struct hostvector *const *)a;
	const struct hostvector *other = *(const struct hostvector *const *)b;
	unsigned int dimensions = *(const unsigned int *)data;

	if (one->size != other->size)
		return one->size > other->size ? -1 : 1;
	for (unsigned int i = 0; i < dimensions; i++) {
		const struct boxes *set = &one->sets[i], *set2 = &other->sets[i];
		uint64_t numbers = boxes_vectors(set), numbers2 = boxes_vectors(set2);
		int order;

		if (numbers != numbers2)
			return numbers > numbers2 ? -1 : 1;
		order = compare_digits(first_of(set), first_of(set2));
		if (!order)
			order = compare_digits(last_of(set), last_of(set2));
		if (order)
			return order;
	}
	return one->place < other->place ? -1 : 1;
}

static void sort(struct hostvectors *vectors)
{
	for (size_t i = 0; i < vectors->count; i++)
		vectors->items[i]->place = i;
	if (vectors->count)
		qsort_r(vectors->items, vectors->count, sizeof(struct hostvector *),
			compare_vectors, &vectors->dimensions);
}

/* Puts neighbours together. Whether there were any. */
static bool merge_neighbours(struct hostvectors *vectors)
{
	size_t kept = 0;

	for (size_t i = 1; i < vectors->count; i++) {
		struct hostvector *vector = vectors->items[kept], *next = vectors->items[i];
		int dimension = only_difference(vectors, vector, next);

		if (dimension >= 0)
			take_over(vector, next, (unsigned int)dimension);
		else
			vectors->items[++kept] = next;
	}
	kept++;
	if (kept >= vectors->count)
		return false;
	vectors->count = kept;
	return true;
}

/* Puts each together with all that follow. Whether there were any. */
static bool merge_any(struct hostvectors *vectors)
{
	size_t before = vectors->count;

	for (size_t i = 0; i < vectors->count; i++) {
		size_t kept = i + 1;

		for (size_t j = i + 1; j < vectors->count; j++) {
			struct hostvector *vector = vectors->items[i], *next = vectors->items[j];
			int dimension = only_difference(vectors, vector, next);

			if (dimension >= 0)
				take_over(vector, next, (unsigned int)dimension);
			else
				vectors->items[kept++] = next;
		}
		vectors->count = kept;
	}
	return vectors->count < before;
}

/* From single combinations on: neighbours, while there are any, then any two. */
static void make_exact(const struct boxes *boxes, struct hostvectors *vectors)
{
	struct boxes_walk walk;

	boxes_walk_start(&walk, boxes);
	while (boxes_walk_next(&walk)) {
		struct hostvector *vector = add_vector(vectors);

		vector->size = 1;
		for (unsigned int i = 0; i < vectors->dimensions; i++)
			boxes_add(&vector->sets[i], &(struct range){walk.vector[i], walk.vector[i]},
				  1);
	}
	do {
		sort(vectors);
	} while (merge_neighbours(vectors));
	do {
		sort(vectors);
	} while (merge_any(vectors));
}

/* What qsort_r() is told by make_quick(). */
struct others {
	unsigned int dimensions, but;
};

static int compare_others(const void *a, const void *b, void *data)
{
	const struct hostvector *one = *(const struct hostvector *const *)a;
	const struct hostvector *other = *(const struct hostvector *const *)b;
	const struct others *others = data;

	for (unsigned int i = 0; i < others->dimensions; i++) {
		const struct boxes *set = &one->sets[i], *set2 = &other->sets[i];
		int order;

		if (i == others->but)
			continue;
		if (set->count != set2->count)
			return set->count < set2->count ? -1 : 1;
		order = memcmp(set->ranges, set2->ranges, set->count * sizeof(*set->ranges));
		if (order)
			return order;
	}
	return one->place < other->place ? -1 : 1;
}

/* From boxes on: those that are the same but for one dimension, each dimension in turn. */
static void make_quick(const struct boxes *boxes, struct hostvectors *vectors)
{
	struct others others = {.dimensions = vectors->dimensions};

	for (size_t i = 0; i < boxes->count; i++) {
		struct hostvector *vector = add_vector(vectors);

		vector->size = 1;
		for (unsigned int j = 0; j < vectors->dimensions; j++) {
			const struct range *range = &boxes->ranges[i * vectors->dimensions + j];

			boxes_add(&vector->sets[j], range, 1);
			vector->size *= range->high - range->low + 1;
		}
	}
	for (others.but = others.dimensions; others.but-- > 0;) {
		for (size_t i = 0; i < vectors->count; i++)
			vectors->items[i]->place = i;
		qsort_r(vectors->items, vectors->count, sizeof(struct hostvector *), compare_others,
			&others);
		merge_neighbours(vectors);
	}
	sort(vectors);
}

/* Makes the one vector of all numbers of each dimension. False: it is more than the boxes. */
static bool make_one(const struct boxes *boxes, struct hostvectors *vectors)
{
	struct hostvector *vector = add_vector(vectors);
	uint64_t size = 1;

	for (unsigned int i = 0; i < vectors->dimensions; i++) {
		struct boxes *set = &vector->sets[i];

		for (size_t j = 0; j < boxes->count; j++)
			boxes_add(set, &boxes->ranges[j * vectors->dimensions + i], 1);
		if (boxes_settle(set) < 0 ||
		    __builtin_mul_overflow(size, boxes_vectors(set), &size))
			return false;
	}
	vector->size = size;
	return size == boxes_vectors(boxes);
}

void hostvectors_make(const struct boxes *boxes, struct hostvectors *ret)
{
	*ret = (struct hostvectors){.dimensions = boxes->dimensions};
	if (make_one(boxes, ret))
		return;
	hostvectors_free(ret);
	ret->dimensions = boxes->dimensions;
	if (boxes_vectors(boxes) <= HOSTVECTORS_EXACT)
		make_exact(boxes, ret);
	else
		make_quick(boxes, ret);
}
