/* SPDX-License-Identifier: Apache-2.0 */
#include "entry.h"

#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/text.h"

#define ID_MAX 64
#define KEY_MAX 1024

static void entry_free(struct entry *entry)
{
	memory_free(entry->key);
	memory_free(entry->id);
	memory_free(entry->owner);
	memory_free(entry->cookbook);
	memory_free(entry->reason);
	memory_free(entry->wrong);
}

struct entry *entries_add(struct entries *entries)
{
	entries->items = memory_grow(entries->items, entries->count, &entries->capacity,
				     sizeof(*entries->items));
	return &entries->items[entries->count++];
}

void entries_remove(struct entries *entries, size_t index)
{
	entry_free(&entries->items[index]);
	entries->count--;
	memmove(&entries->items[index], &entries->items[index + 1],
		(entries->count - index) * sizeof(*entries->items));
}

void entries_clear(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		entry_free(&entries->items[i]);
	entries->count = 0;
}

void entries_free(struct entries *entries)
{
	entries_clear(entries);
	memory_free(entries->items);
	memset(entries, 0, sizeof(*entries));
}

size_t entries_find(const struct entries *entries, const char *id)
{
	size_t i = 0;

	while (i < entries->count && strcmp(entries->items[i].id, id) != 0)
		i++;
	return i;
}

static int compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int by_key = strcmp(a->key, b->key);

	if (by_key)
		return by_key;
	if (a->revision != b->revision)
		return a->revision < b->revision ? -1 : 1;
	if (a->created_ns != b->created_ns) /* API 2 keeps no revisions */
		return a->created_ns < b->created_ns ? -1 : 1;
	return strcmp(a->id, b->id);
}

void entries_sort(struct entries *entries)
{
	if (entries->count)
		qsort(entries->items, entries->count, sizeof(*entries->items), compare);
}

static size_t count_holders(const struct entry *items, size_t count)
{
	uint64_t in_until = UINT64_MAX;
	size_t holders = 0, least = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		if (items[i].reason && items[i].in_until < in_until)
			in_until = items[i].in_until;
	}
	for (size_t i = 0; i < count && items[i].revision <= in_until; i++) {
		if (items[i].reason)
			continue;
		if (items[i].concurrency && (size_t)items[i].concurrency < least)
			least = (size_t)items[i].concurrency;
		if (holders >= least)
			break;
		holders++;
	}
	return holders;
}

size_t entries_holders(const struct entries *entries)
{
	return count_holders(entries->items, entries->count);
}

void entries_visit(const struct entries *entries, size_t first, size_t count,
		   spk_lock_visitor *visitor, void *data)
{
	const struct entry *items = entries->items + first;
	size_t holders, seen = 0;

	if (!visitor || !count)
		return;
	holders = count_holders(items, count);
	for (size_t i = 0; i < count; i++) {
		bool holds = items[i].reason || seen < holders;

		seen += !items[i].reason;
		if (items[i].wrong)
			continue;
		visitor(data, &(struct spk_lock_entry){
				      .size = sizeof(struct spk_lock_entry),
				      .place = holds ? 0 : (uint32_t)(seen - holders),
				      .key = items[i].key,
				      .id = items[i].id,
				      .owner = items[i].owner,
				      .cookbook = items[i].cookbook,
				      .reason = items[i].reason,
				      .created_ns = items[i].created_ns,
				      .ttl_ns = items[i].ttl_ns,
				      .concurrency = items[i].concurrency,
				      .fence = holds && !items[i].reason ? items[i].revision : 0,
			      });
	}
}

bool entry_names_ok(const char *key, const char *id, struct spk_reason_buffer *reason)
{
	const char *kind = key + strlen(LOCKS_BASE), *name;

	if (strncmp(key, LOCKS_BASE, strlen(LOCKS_BASE)) != 0 || strlen(key) > KEY_MAX)
		goto bad;
	name = strchr(kind, '/');
	if (!name || name == kind || !name[1] || strchr(name + 1, '/') ||
	    strcmp(name + 1, ".") == 0 || strcmp(name + 1, "..") == 0)
		goto bad;
	if (id && (!*id || strlen(id) > ID_MAX || strchr(id, '/'))) {
		reason_set(reason, "'%.64s' is no id of a lock", id);
		return false;
	}
	return true;
bad:
	reason_set(reason, "'%.120s' is no key of a lock", key);
	return false;
}
