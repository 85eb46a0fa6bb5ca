/* SPDX-License-Identifier: Apache-2.0 */
#include "items.h"

#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"

#define KEY_MAX 1024

/* As of the parts of a path: none of them is empty or leads elsewhere. */
static bool has_good_parts(const char *key)
{
	if (*key != '/')
		return false;
	while (*key) {
		size_t length = strcspn(++key, "/");

		if (length == 0 || (length <= 2 && strncmp(key, "..", length) == 0))
			return false;
		key += length;
	}
	return true;
}

bool item_key_ok(const char *key, const char *prefix, struct spk_reason_buffer *reason)
{
	size_t length = strlen(prefix);
	bool below = !prefix[strspn(prefix, "/")] ||
		     (strncmp(key, prefix, length) == 0 && (!key[length] || key[length] == '/'));

	if (below && strlen(key) <= KEY_MAX && has_good_parts(key))
		return true;
	reason_set(reason, "etcd answers with the key '%.100s' about %.100s", key, prefix);
	return false;
}

void items_add(struct items *items, char *key, char *value, size_t length, uint64_t revision)
{
	items->items = memory_grow(items->items, items->count, &items->capacity,
				   sizeof(*items->items));
	items->items[items->count++] =
		(struct item){.key = key, .value = value, .length = length, .revision = revision};
}

static int compare(const void *a, const void *b)
{
	const struct item *one = a, *other = b;

	return strcmp(one->key, other->key);
}

bool items_show(struct items *items, spk_kv_visitor *visitor, void *data)
{
	if (items->count)
		qsort(items->items, items->count, sizeof(*items->items), compare);
	for (size_t i = 0; i < items->count; i++) {
		const struct item *item = &items->items[i];

		if (!visitor(data, &(struct spk_kv_item){.size = sizeof(struct spk_kv_item),
							 .key = item->key,
							 .value = item->value,
							 .length = item->length,
							 .revision = item->revision}))
			return false;
	}
	return true;
}

void items_free(struct items *items)
{
	for (size_t i = 0; i < items->count; i++) {
		memory_free(items->items[i].key);
		memory_free(items->items[i].value);
	}
	memory_free(items->items);
	*items = (struct items){0};
}
