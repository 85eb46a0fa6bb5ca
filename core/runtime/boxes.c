/* SPDX-License-Identifier: Apache-2.0 */
#include "boxes.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* Boxes of one list that stand together. */
struct slice {
	const struct range *ranges;
	size_t count;
};

/* What is being written: the ranges of the dimensions that were chosen so far. */
struct writing {
	struct boxes *out;
	struct range at[BOXES_DIMENSIONS];
};

void boxes_free(struct boxes *boxes)
{
	free(boxes->ranges);
	*boxes = (struct boxes){0};
}

void boxes_clear(struct boxes *boxes, unsigned int dimensions)
{
	boxes->count = 0;
	boxes->dimensions = dimensions;
	boxes->full = false;
}

void boxes_add(struct boxes *boxes, const struct range *ranges, size_t count)
{
	size_t used = boxes->count * boxes->dimensions, more = count * boxes->dimensions;

	if (used + more > BOXES_MAX) {
		boxes->full = true;
		return;
	}
	if (used + more > boxes->capacity) {
		boxes->capacity = used + more + used / 2 + 4;
		boxes->ranges = xreallocarray(boxes->ranges, boxes->capacity,
					      sizeof(*boxes->ranges));
	}
	if (more)
		memcpy(boxes->ranges + used, ranges, more * sizeof(*ranges));
	boxes->count += count;
}

static struct range *box_at(const struct boxes *boxes, size_t number)
{
	return boxes->ranges + number * boxes->dimensions;
}

static struct slice all_of(const struct boxes *boxes)
{
	return (struct slice){boxes->ranges, boxes->count};
}

/* How many boxes of the slice, from its first on, have the first one's range at this depth. */
static size_t group_size(struct slice slice, unsigned int dimensions, unsigned int depth)
{
	const struct range *first = &slice.ranges[depth];
	size_t count = 1;

	while (count < slice.count) {
		const struct range *other = first + count * dimensions;

		if (other->low != first->low || other->high != first->high)
			break;
		count++;
	}
	return count;
}

/* Writes the boxes of a slice with the ranges chosen up to and with this depth. */
static void write_below(struct writing *writing, struct slice slice, unsigned int depth)
{
	unsigned int dimensions = writing->out->dimensions;

	if (depth + 1 >= dimensions) {
		boxes_add(writing->out, writing->at, 1);
		return;
	}
	for (size_t i = 0; i < slice.count && !writing->out->full; i++) {
		const struct range *box = slice.ranges + i * dimensions;

		memcpy(&writing->at[depth + 1], &box[depth + 1],
		       (dimensions - depth - 1) * sizeof(*box));
		boxes_add(writing->out, writing->at, 1);
	}
}

static bool same_below(const struct boxes *boxes, size_t a, size_t b, size_t count,
		       unsigned int depth)
{
	size_t tail = (boxes->dimensions - depth - 1) * sizeof(struct range);

	for (size_t i = 0; tail && i < count; i++) {
		if (memcmp(box_at(boxes, a + i) + depth + 1, box_at(boxes, b + i) + depth + 1,
			   tail) != 0)
			return false;
	}
	return true;
}

/*
 * What was written from box `start` on has one range at this depth, as has what was written from
 * box *previous on, SIZE_MAX for nothing. Makes one of both where they follow each other and are
 * the same below.
 */
static void join(struct boxes *out, size_t *previous, size_t start, unsigned int depth)
{
	size_t count = out->count - start;

	if (count == 0 || out->full)
		return;
	if (*previous != SIZE_MAX && start - *previous == count &&
	    box_at(out, *previous)[depth].high + 1 == box_at(out, start)[depth].low &&
	    same_below(out, *previous, start, count, depth)) {
		for (size_t i = 0; i < count; i++)
			box_at(out, *previous + i)[depth].high = box_at(out, start)[depth].high;
		out->count = start;
		return;
	}
	*previous = start;
}

/* The next part of a slice in one dimension. */
struct cursor {
	struct slice rest, group;
	struct range range; /* what is left of the group's */
};

static void cursor_next(struct cursor *cursor, unsigned int dimensions, unsigned int depth)
{
	cursor->group.count = 0;
	if (!cursor->rest.count)
		return;
	cursor->group.ranges = cursor->rest.ranges;
	cursor->group.count = group_size(cursor->rest, dimensions, depth);
	cursor->range = cursor->group.ranges[depth];
	cursor->rest.ranges += cursor->group.count * dimensions;
	cursor->rest.count -= cursor->group.count;
}

/* What lies up to and with `high` is done. */
static void cursor_pass(struct cursor *cursor, uint64_t high, unsigned int dimensions,
			unsigned int depth)
{
	if (cursor->range.high == high)
		cursor_next(cursor, dimensions, depth);
	else
		cursor->range.low = high + 1;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void combine(struct writing *writing, unsigned int depth, struct slice first,
		    struct slice second, struct boxes_kept kept)
{
	unsigned int dimensions = writing->out->dimensions;
	struct cursor a = {.rest = first}, b = {.rest = second};
	size_t previous = SIZE_MAX;

	cursor_next(&a, dimensions, depth);
	cursor_next(&b, dimensions, depth);
	while ((a.group.count || b.group.count) && !writing->out->full) {
		bool has_a = a.group.count && (!b.group.count || a.range.low <= b.range.low);
		bool has_b = b.group.count && (!a.group.count || b.range.low <= a.range.low);
		struct range range = has_a ? a.range : b.range;
		size_t start = writing->out->count;

		if (has_a && has_b)
			range.high = smaller(a.range.high, b.range.high);
		else if (has_a && b.group.count)
			range.high = smaller(a.range.high, b.range.low - 1);
		else if (has_b && a.group.count)
			range.high = smaller(b.range.high, a.range.low - 1);
		writing->at[depth] = range;
		if (has_a && has_b && depth + 1 < dimensions)
			combine(writing, depth + 1, a.group, b.group, kept);
		else if (has_a && has_b ? kept.both : has_a ? kept.first : kept.second)
			write_below(writing, has_a ? a.group : b.group, depth);
		join(writing->out, &previous, start, depth);
		if (has_a)
			cursor_pass(&a, range.high, dimensions, depth);
		if (has_b)
			cursor_pass(&b, range.high, dimensions, depth);
	}
}

void boxes_combine(const struct boxes *first, const struct boxes *second, struct boxes_kept kept,
		   struct boxes *out)
{
	struct writing writing = {.out = out};

	if (out->dimensions > 0)
		combine(&writing, 0, all_of(first), all_of(second), kept);
	else if (first->count && second->count
			 ? kept.both
			 : (first->count && kept.first) || (second->count && kept.second))
		out->count = 1;
}

static int compare(const void *a, const void *b, void *data)
{
	const struct range *one = a, *other = b;
	unsigned int dimensions = *(const unsigned int *)data;

	for (unsigned int i = 0; i < dimensions; i++) {
		if (one[i].low != other[i].low)
			return one[i].low < other[i].low ? -1 : 1;
		if (one[i].high != other[i].high)
			return one[i].high < other[i].high ? -1 : 1;
	}
	return 0;
}

static void sort(struct boxes *boxes)
{
	size_t size = boxes->dimensions * sizeof(*boxes->ranges);

	for (size_t i = 1; i < boxes->count; i++) {
		if (compare(box_at(boxes, i - 1), box_at(boxes, i), &boxes->dimensions) > 0) {
			qsort_r(boxes->ranges, boxes->count, size, compare, &boxes->dimensions);
			return;
		}
	}
}

/* Writes the slice, whose boxes are sorted, settled. False: two ranges overlap in part. */
static bool settle_simple(struct writing *writing, unsigned int depth, struct slice slice)
{
	unsigned int dimensions = writing->out->dimensions;
	bool last = depth + 1 == dimensions;
	size_t previous = SIZE_MAX;

	while (slice.count) {
		size_t start = writing->out->count, count = group_size(slice, dimensions, depth);
		struct slice group = {slice.ranges, count};

		writing->at[depth] = slice.ranges[depth];
		slice.ranges += count * dimensions;
		slice.count -= count;
		while (last && slice.count && slice.ranges[depth].low <= writing->at[depth].high) {
			if (slice.ranges[depth].high > writing->at[depth].high)
				writing->at[depth].high = slice.ranges[depth].high;
			slice.ranges += dimensions;
			slice.count--;
		}
		if (slice.count && slice.ranges[depth].low <= writing->at[depth].high)
			return false;
		if (last)
			boxes_add(writing->out, writing->at, 1);
		else if (!settle_simple(writing, depth + 1, group))
			return false;
		join(writing->out, &previous, start, depth);
	}
	return true;
}

/* Appends the sorted slice, settled: at once, or its halves put together. */
static void settle(struct slice slice, struct boxes *out)
{
	struct writing writing = {.out = out};
	struct boxes first = {.dimensions = out->dimensions}, second = first;
	size_t start = out->count, half = slice.count / 2;

	if (settle_simple(&writing, 0, slice) || out->full)
		return;
	out->count = start;
	settle((struct slice){slice.ranges, half}, &first);
	settle((struct slice){slice.ranges + half * out->dimensions, slice.count - half}, &second);
	if (first.full || second.full)
		out->full = true;
	else
		boxes_combine(&first, &second, (struct boxes_kept){true, true, true}, out);
	boxes_free(&first);
	boxes_free(&second);
}

int boxes_settle(struct boxes *boxes)
{
	struct boxes settled = {.dimensions = boxes->dimensions};

	if (boxes->full)
		return -1;
	if (boxes->dimensions == 0) {
		boxes->count = boxes->count > 0;
		return 0;
	}
	if (boxes->count < 2)
		return 0;
	sort(boxes);
	settle(all_of(boxes), &settled);
	boxes_free(boxes);
	*boxes = settled;
	return settled.full ? -1 : 0;
}

/* Vectors of one box from this depth on. */
static uint64_t box_vectors(const struct range *box, unsigned int depth, unsigned int dimensions)
{
	uint64_t count = 1;

	for (unsigned int i = depth; i < dimensions; i++) {
		uint64_t length = box[i].high - box[i].low + 1;

		if (__builtin_mul_overflow(count, length, &count))
			return UINT64_MAX;
	}
	return count;
}

static uint64_t slice_vectors(struct slice slice, unsigned int depth, unsigned int dimensions)
{
	uint64_t count = 0;

	for (size_t i = 0; i < slice.count; i++) {
		uint64_t more = box_vectors(slice.ranges + i * dimensions, depth, dimensions);

		if (__builtin_add_overflow(count, more, &count))
			return UINT64_MAX;
	}
	return count;
}

uint64_t boxes_vectors(const struct boxes *boxes)
{
	if (boxes->dimensions == 0)
		return boxes->count;
	return slice_vectors(all_of(boxes), 0, boxes->dimensions);
}

/* The part of the slice whose range at this depth has the number, an empty one for none. */
static struct slice find(struct slice slice, unsigned int dimensions, unsigned int depth,
			 uint64_t number)
{
	size_t low = 0, high = slice.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slice.ranges[middle * dimensions + depth].high < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == slice.count || slice.ranges[low * dimensions + depth].low > number)
		return (struct slice){0};
	slice.ranges += low * dimensions;
	slice.count -= low;
	slice.count = group_size(slice, dimensions, depth);
	return slice;
}

bool boxes_have(const struct boxes *boxes, const uint64_t *vector)
{
	struct slice slice = all_of(boxes);

	for (unsigned int i = 0; i < boxes->dimensions && slice.count; i++)
		slice = find(slice, boxes->dimensions, i, vector[i]);
	return slice.count > 0;
}

static void take(struct writing *writing, unsigned int depth, struct slice slice, uint64_t skip,
		 uint64_t count);

/* Of a group, whose range at this depth is one, with `below` vectors below each number of it. */
static void take_group(struct writing *writing, unsigned int depth, struct slice group,
		       uint64_t below, uint64_t skip, uint64_t count)
{
	uint64_t number = group.ranges[depth].low + skip / below, wanted;

	for (skip %= below; count; count -= wanted, skip = 0) {
		writing->at[depth] = (struct range){number, number};
		if (skip == 0 && count >= below) {
			wanted = count - count % below;
			number += wanted / below;
			writing->at[depth].high = number - 1;
			write_below(writing, group, depth);
		} else {
			wanted = smaller(below - skip, count);
			number++;
			take(writing, depth + 1, group, skip, wanted);
		}
	}
}

static void take(struct writing *writing, unsigned int depth, struct slice slice, uint64_t skip,
		 uint64_t count)
{
	unsigned int dimensions = writing->out->dimensions;
	struct cursor cursor = {.rest = slice};

	for (cursor_next(&cursor, dimensions, depth); cursor.group.count && count;
	     cursor_next(&cursor, dimensions, depth)) {
		uint64_t below = slice_vectors(cursor.group, depth + 1, dimensions);
		uint64_t all = below * (cursor.range.high - cursor.range.low + 1), wanted;

		if (skip >= all) {
			skip -= all;
			continue;
		}
		wanted = smaller(all - skip, count);
		take_group(writing, depth, cursor.group, below, skip, wanted);
		skip = 0;
		count -= wanted;
	}
}

int boxes_slice(const struct boxes *boxes, uint64_t skip, uint64_t count, struct boxes *out)
{
	struct writing writing = {.out = out};

	boxes_clear(out, boxes->dimensions);
	if (boxes->dimensions > 0)
		take(&writing, 0, all_of(boxes), skip, count);
	else if (boxes->count && skip == 0 && count > 0)
		out->count = 1;
	return boxes_settle(out);
}

void boxes_walk_start(struct boxes_walk *walk, const struct boxes *boxes)
{
	*walk = (struct boxes_walk){.boxes = boxes};
}

/* To the first vector of the boxes from `box` to `end`, from this depth on. */
static void walk_down(struct boxes_walk *walk, unsigned int depth, size_t box, size_t end)
{
	const struct boxes *boxes = walk->boxes;

	for (; depth < boxes->dimensions; depth++) {
		struct slice slice = {box_at(boxes, box), end - box};

		walk->level[depth].box = box;
		walk->level[depth].end = end;
		walk->level[depth].count = group_size(slice, boxes->dimensions, depth);
		walk->vector[depth] = slice.ranges[depth].low;
		end = box + walk->level[depth].count;
	}
}

bool boxes_walk_next(struct boxes_walk *walk)
{
	const struct boxes *boxes = walk->boxes;

	if (!walk->started) {
		walk->started = true;
		if (boxes->count)
			walk_down(walk, 0, 0, boxes->count);
		return boxes->count > 0;
	}
	for (unsigned int depth = boxes->dimensions; depth-- > 0;) {
		size_t box = walk->level[depth].box, next = box + walk->level[depth].count;

		if (walk->vector[depth] < box_at(boxes, box)[depth].high) {
			walk->vector[depth]++;
			walk_down(walk, depth + 1, box, next);
			return true;
		}
		if (next < walk->level[depth].end) {
			walk_down(walk, depth, next, walk->level[depth].end);
			return true;
		}
	}
	return false;
}
