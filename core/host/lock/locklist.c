/* SPDX-License-Identifier: Apache-2.0 */
#include "locklist.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"

static const char *keep(struct lock_list *list, const char *text)
{
	return text ? pool_text(list->texts, text, strlen(text)) : NULL;
}

void lock_list_add(void *data, const struct spk_lock_entry *entry)
{
	struct lock_list *list = data;
	struct spk_lock_entry *copy;

	if (!list->texts)
		list->texts = pool_new(0);
	list->entries = xgrow(list->entries, list->count, &list->capacity, sizeof(*list->entries));
	copy = &list->entries[list->count++];
	*copy = *entry;
	copy->key = keep(list, entry->key ? entry->key : "");
	copy->id = keep(list, entry->id ? entry->id : "");
	copy->owner = keep(list, entry->owner ? entry->owner : "");
	copy->cookbook = keep(list, entry->cookbook);
	copy->reason = keep(list, entry->reason);
}

void lock_list_clear(struct lock_list *list)
{
	list->count = 0;
	if (list->texts)
		pool_clear(list->texts);
}

void lock_list_free(struct lock_list *list)
{
	pool_free(list->texts);
	free(list->entries);
	*list = (struct lock_list){0};
}

size_t lock_list_holders(const struct lock_list *list)
{
	size_t holders = 0;

	for (size_t i = 0; i < list->count; i++)
		holders += lock_is_held(&list->entries[i]);
	return holders;
}

const struct spk_lock_entry *lock_list_freeze(const struct lock_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (lock_is_freeze(&list->entries[i]))
			return &list->entries[i];
	return NULL;
}

int32_t lock_list_limit(const struct lock_list *list, int32_t concurrency)
{
	int32_t limit = concurrency;

	for (size_t i = 0; i < list->count; i++) {
		const struct spk_lock_entry *entry = &list->entries[i];

		if (lock_is_held(entry) && entry->concurrency > 0 &&
		    (limit == 0 || entry->concurrency < limit))
			limit = entry->concurrency;
	}
	return limit;
}

bool lock_list_admits(const struct lock_list *list, int32_t concurrency)
{
	int32_t limit = lock_list_limit(list, concurrency);

	for (size_t i = 0; i < list->count; i++)
		if (list->entries[i].place > 0 || lock_is_freeze(&list->entries[i]))
			return false;
	return limit == 0 || lock_list_holders(list) < (size_t)limit;
}
