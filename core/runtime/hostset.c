/* SPDX-License-Identifier: Apache-2.0 */
#include "hostset.h"

#include <stdlib.h>
#include <string.h>

#include "hostblock.h"
#include "hostname.h"

void hostset_free(struct hostset *set)
{
	free(set);
}

uint64_t hostset_count(const struct hostset *set)
{
	return set->part[set->parts].first;
}

size_t hostset_bytes(const struct hostset *set)
{
	return set->bytes;
}

bool hostset_equal(const struct hostset *a, const struct hostset *b)
{
	return a->bytes == b->bytes && memcmp(a, b, a->bytes) == 0;
}

/* Adds what is kept of a part that both sets have. */
static void combine_part(struct hostblock *block, const struct hostset *a, size_t i,
			 const struct hostset *b, size_t j, struct boxes_kept kept)
{
	struct boxes first = hostblock_boxes(a, i), second = hostblock_boxes(b, j);
	struct boxes out = {.dimensions = first.dimensions};

	boxes_combine(&first, &second, kept, &out);
	hostblock_add(block, hostblock_text(a, i), &out);
	boxes_free(&out);
}

static void copy_part(struct hostblock *block, const struct hostset *set, size_t part)
{
	struct boxes boxes = hostblock_boxes(set, part);

	hostblock_add(block, hostblock_text(set, part), &boxes);
}

int hostset_combine(const struct hostset *a, const struct hostset *b, struct boxes_kept kept,
		    struct hostset **ret, struct err *err)
{
	struct hostblock block = {0};
	size_t i = 0, j = 0;

	while ((i < a->parts || j < b->parts) && !block.full) {
		int order = i == a->parts   ? 1
			    : j == b->parts ? -1
					    : strcmp(hostblock_text(a, i), hostblock_text(b, j));

		if (order == 0)
			combine_part(&block, a, i, b, j, kept);
		else if (order < 0 && kept.first)
			copy_part(&block, a, i);
		else if (order > 0 && kept.second)
			copy_part(&block, b, j);
		i += order <= 0;
		j += order >= 0;
	}
	return hostblock_finish(&block, ret, err);
}

/* Whether the settled boxes of `a` have nothing that those of `b` have not. */
static bool boxes_within(const struct boxes *a, const struct boxes *b)
{
	struct boxes rest = {.dimensions = a->dimensions};
	bool within;

	boxes_combine(a, b, HOSTSET_MINUS, &rest);
	within = rest.count == 0;
	boxes_free(&rest);
	return within;
}

bool hostset_within(const struct hostset *a, const struct hostset *b)
{
	for (size_t i = 0; i < a->parts; i++) {
		struct boxes ours = hostblock_boxes(a, i), theirs;
		bool found;
		size_t j = hostblock_find(b, hostblock_text(a, i), &found);

		if (!found)
			return false;
		theirs = hostblock_boxes(b, j);
		if (!boxes_within(&ours, &theirs))
			return false;
	}
	return true;
}

bool hostset_has(const struct hostset *set, const char *name)
{
	struct hostname host;
	struct boxes boxes;
	bool found;
	size_t part;

	if (hostname_read(name, strlen(name), &host, NULL) < 0)
		return false;
	part = hostblock_find(set, host.text, &found);
	if (!found)
		return false;
	boxes = hostblock_boxes(set, part);
	return boxes_have(&boxes, host.numbers);
}

/* The part that has host number `number`; behind the last part where there is none. */
static size_t part_with(const struct hostset *set, uint64_t number)
{
	size_t low = 0, high = set->parts;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->part[middle + 1].first <= number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int hostset_slice(const struct hostset *set, uint64_t skip, uint64_t count, struct hostset **ret,
		  struct err *err)
{
	struct hostblock block = {0};
	struct boxes out = {0};

	for (size_t i = part_with(set, skip); i < set->parts && count && !block.full; i++) {
		uint64_t first = set->part[i].first, end = set->part[i + 1].first;
		uint64_t taken = end - skip < count ? end - skip : count;
		struct boxes boxes = hostblock_boxes(set, i);

		if (boxes_slice(&boxes, skip - first, taken, &out) < 0)
			block.full = true;
		hostblock_add(&block, hostblock_text(set, i), &out);
		skip += taken;
		count -= taken;
	}
	boxes_free(&out);
	return hostblock_finish(&block, ret, err);
}

/* By halves: what a slice costs depends on how much is before it. */
int hostset_split(const struct hostset *set, size_t parts, struct hostset **ret, struct err *err)
{
	uint64_t count = hostset_count(set), larger = count % parts;
	size_t half = parts / 2;
	uint64_t first = half * (count / parts) + (half < larger ? half : larger);
	struct hostset *left = NULL, *right = NULL;
	int rc;

	if (parts == 1)
		return hostset_slice(set, 0, count, ret, err);
	rc = hostset_slice(set, 0, first, &left, err);
	if (rc == 0)
		rc = hostset_slice(set, first, count, &right, err);
	if (rc == 0)
		rc = hostset_split(left, half, ret, err);
	if (rc == 0) {
		rc = hostset_split(right, parts - half, ret + half, err);
		for (size_t i = 0; rc < 0 && i < half; i++)
			hostset_free(ret[i]);
	}
	hostset_free(left);
	hostset_free(right);
	return rc;
}

void hostset_walk_start(struct hostset_walk *walk, const struct hostset *set)
{
	*walk = (struct hostset_walk){.set = set};
}

/* The text of the part with the numbers in it. Names have at most HOSTSET_NAME_MAX bytes. */
static void write_name(struct hostset_walk *walk, const char *text)
{
	const uint64_t *number = walk->place.vector;
	char *at = walk->name;

	for (; *text; text++) {
		if (*text != HOSTBLOCK_MARK)
			*at++ = *text;
		else
			at += digits_text(*number++, at);
	}
	*at = '\0';
	walk->length = (size_t)(at - walk->name);
}

bool hostset_walk_next(struct hostset_walk *walk)
{
	const struct hostset *set = walk->set;

	for (; walk->part < set->parts; walk->part++) {
		if (walk->place.boxes == NULL) {
			walk->boxes = hostblock_boxes(set, walk->part);
			boxes_walk_start(&walk->place, &walk->boxes);
		}
		if (boxes_walk_next(&walk->place)) {
			write_name(walk, hostblock_text(set, walk->part));
			return true;
		}
		walk->place.boxes = NULL;
	}
	return false;
}
