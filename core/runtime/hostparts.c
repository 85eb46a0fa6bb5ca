/* SPDX-License-Identifier: Apache-2.0 */
#include "hostparts.h"

#include <stdlib.h>
#include <string.h>

#include "hostblock.h"
#include "hostname.h"
#include "mem.h"

struct hostparts_item {
	size_t text, ranges; /* where they start */
	size_t boxes;
	unsigned int dimensions;
};

static const char *item_text(const struct hostparts *parts, const struct hostparts_item *item)
{
	return parts->texts.text + item->text;
}

/* Many that follow each other have the same text: it is kept once. */
static size_t add_text(struct hostparts *parts, const char *text)
{
	size_t place = parts->texts.length;

	if (parts->count) {
		const struct hostparts_item *last = &parts->items[parts->count - 1];

		if (strcmp(item_text(parts, last), text) == 0)
			return last->text;
	}
	buf_add(&parts->texts, text, strlen(text) + 1);
	return place;
}

static void add_ranges(struct hostparts *parts, const struct range *ranges, size_t count)
{
	if (parts->ranges_count + count > parts->ranges_capacity) {
		parts->ranges_capacity = parts->ranges_count + count + parts->ranges_count / 2 + 4;
		parts->ranges = xreallocarray(parts->ranges, parts->ranges_capacity,
					      sizeof(*parts->ranges));
	}
	if (count)
		memcpy(parts->ranges + parts->ranges_count, ranges, count * sizeof(*ranges));
	parts->ranges_count += count;
}

void hostparts_add(struct hostparts *parts, const char *text, const struct boxes *boxes)
{
	size_t more = boxes->count * boxes->dimensions;
	struct hostparts_item item = {
		.ranges = parts->ranges_count,
		.boxes = boxes->count,
		.dimensions = boxes->dimensions,
	};

	if (!boxes->count)
		return;
	if (boxes->full || parts->ranges_count + more > BOXES_MAX ||
	    parts->texts.length > UINT32_MAX - HOSTSET_NAME_MAX - 1) {
		parts->full = true;
		return;
	}
	item.text = add_text(parts, text);
	add_ranges(parts, boxes->ranges, more);
	parts->items = xgrow(parts->items, parts->count, &parts->capacity, sizeof(*parts->items));
	parts->items[parts->count++] = item;
}

int hostparts_add_name(struct hostparts *parts, const char *name, size_t length, struct err *err)
{
	struct range box[BOXES_DIMENSIONS];
	struct boxes boxes = {.ranges = box, .count = 1};
	struct hostname host;

	if (hostname_read(name, length, &host, err) < 0)
		return -1;
	boxes.dimensions = host.dimensions;
	for (unsigned int i = 0; i < host.dimensions; i++)
		box[i] = (struct range){host.numbers[i], host.numbers[i]};
	hostparts_add(parts, host.text, &boxes);
	return 0;
}

void hostparts_add_set(struct hostparts *parts, const struct hostset *set)
{
	for (size_t i = 0; i < set->parts; i++) {
		struct boxes boxes = hostblock_boxes(set, i);

		hostparts_add(parts, hostblock_text(set, i), &boxes);
	}
}

static int compare(const void *a, const void *b, void *data)
{
	const struct hostparts_item *one = a, *other = b;
	const struct hostparts *parts = data;
	int order = one->text == other->text
			    ? 0
			    : strcmp(item_text(parts, one), item_text(parts, other));

	if (order)
		return order;
	return one->ranges < other->ranges ? -1 : one->ranges > other->ranges;
}

static void sort(struct hostparts *parts)
{
	for (size_t i = 1; i < parts->count; i++) {
		if (compare(&parts->items[i - 1], &parts->items[i], parts) > 0) {
			qsort_r(parts->items, parts->count, sizeof(*parts->items), compare, parts);
			return;
		}
	}
}

/* Puts all items of one text, from number `first` on, into `boxes`. Returns the next number. */
static size_t collect(const struct hostparts *parts, size_t first, struct boxes *boxes)
{
	const char *text = item_text(parts, &parts->items[first]);
	size_t next = first;

	boxes_clear(boxes, parts->items[first].dimensions);
	while (next < parts->count) {
		const struct hostparts_item *item = &parts->items[next];

		if (strcmp(item_text(parts, item), text) != 0)
			break;
		boxes_add(boxes, parts->ranges ? parts->ranges + item->ranges : NULL, item->boxes);
		next++;
	}
	return next;
}

int hostparts_finish(struct hostparts *parts, struct hostset **ret, struct err *err)
{
	struct hostblock block = {0};
	struct boxes boxes = {0};
	bool full = parts->full;

	sort(parts);
	for (size_t i = 0, next; i < parts->count && !full; i = next) {
		next = collect(parts, i, &boxes);
		if (next - i > 1 && boxes_settle(&boxes) < 0)
			full = true;
		else
			hostblock_add(&block, item_text(parts, &parts->items[i]), &boxes);
	}
	boxes_free(&boxes);
	hostparts_free(parts);
	block.full |= full;
	return hostblock_finish(&block, ret, err);
}

void hostparts_free(struct hostparts *parts)
{
	buf_free(&parts->texts);
	free(parts->items);
	free(parts->ranges);
	*parts = (struct hostparts){0};
}
