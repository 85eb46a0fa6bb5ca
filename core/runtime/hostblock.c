/* SPDX-License-Identifier: Apache-2.0 */
#include "hostblock.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

static const struct range *ranges_of(const struct hostset *set)
{
	return (const struct range *)(const void *)&set->part[set->parts + 1];
}

const char *hostblock_text(const struct hostset *set, size_t part)
{
	return (const char *)(ranges_of(set) + set->ranges) + set->part[part].text;
}

struct boxes hostblock_boxes(const struct hostset *set, size_t part)
{
	const struct hostblock_part *at = &set->part[part];
	uint64_t count = at[1].ranges - at->ranges;

	return (struct boxes){
		.ranges = (struct range *)(uintptr_t)(ranges_of(set) + at->ranges),
		.count = at->dimensions ? count / at->dimensions : 1,
		.capacity = count,
		.dimensions = at->dimensions,
	};
}

size_t hostblock_find(const struct hostset *set, const char *text, bool *ret_found)
{
	size_t low = 0, high = set->parts;

	*ret_found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(hostblock_text(set, middle), text);

		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_ranges(struct hostblock *block, const struct range *ranges, size_t count)
{
	if (block->ranges_count + count > block->ranges_capacity) {
		block->ranges_capacity = block->ranges_count + count + block->ranges_count / 2 + 4;
		block->ranges = xreallocarray(block->ranges, block->ranges_capacity,
					      sizeof(*block->ranges));
	}
	if (count)
		memcpy(block->ranges + block->ranges_count, ranges, count * sizeof(*ranges));
	block->ranges_count += count;
}

void hostblock_add(struct hostblock *block, const char *text, const struct boxes *settled)
{
	size_t more = settled->count * settled->dimensions;
	uint64_t hosts = boxes_vectors(settled);

	if (!settled->count || block->full)
		return;
	if (settled->full || block->ranges_count + more > BOXES_MAX || hosts > HOSTSET_MAX ||
	    block->hosts + hosts > HOSTSET_MAX) {
		block->full = true;
		return;
	}
	block->parts = xgrow(block->parts, block->count, &block->capacity, sizeof(*block->parts));
	block->parts[block->count++] = (struct hostblock_part){
		.first = block->hosts,
		.ranges = block->ranges_count,
		.text = (uint32_t)block->texts.length,
		.dimensions = settled->dimensions,
	};
	buf_add(&block->texts, text, strlen(text) + 1);
	add_ranges(block, settled->ranges, more);
	block->hosts += hosts;
}

int hostblock_finish(struct hostblock *block, struct hostset **ret, struct err *err)
{
	size_t parts = (block->count + 1) * sizeof(*block->parts);
	size_t ranges = block->ranges_count * sizeof(*block->ranges);
	size_t bytes = (sizeof(struct hostset) + parts + ranges + block->texts.length + 7) / 8 * 8;
	struct hostset *set = NULL;
	char *at;

	if (!block->full) {
		set = xcalloc(1, bytes);
		set->bytes = bytes;
		set->parts = block->count;
		set->ranges = block->ranges_count;
		if (block->count)
			memcpy(set->part, block->parts, parts - sizeof(*block->parts));
		set->part[block->count] = (struct hostblock_part){
			.first = block->hosts,
			.ranges = block->ranges_count,
			.text = (uint32_t)block->texts.length,
		};
		at = (char *)set + sizeof(*set) + parts;
		if (ranges)
			memcpy(at, block->ranges, ranges);
		if (block->texts.length)
			memcpy(at + ranges, block->texts.text, block->texts.length);
		*ret = set;
	}
	buf_free(&block->texts);
	free(block->parts);
	free(block->ranges);
	*block = (struct hostblock){0};
	return set ? 0
		   : err_set(err,
			     "the set would have more than %d hosts, or more than %zu ranges of "
			     "them",
			     HOSTSET_MAX, BOXES_MAX);
}
