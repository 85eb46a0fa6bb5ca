/* SPDX-License-Identifier: Apache-2.0 */
/* Maps from texts to texts. */
#include <spicerack/collection.h>

#include <spicerack/error.h>

#include "copy.h"
#include "misuse.h"
#include "strtable.h"

#define MAP_MAGIC 0x6d61701eU

struct spk_map {
	uint32_t magic;
	struct spk *spk;
	struct strtable table;
};

struct spk_map *spk_map_new(struct spk *spk)
{
	struct spk_map *map = SPK_NEW(spk, struct spk_map);

	map->spk = spk;
	strtable_init(&map->table);
	map->magic = MAP_MAGIC;
	return map;
}

void spk_map_set(struct spk_map *map, const char *key, const char *value)
{
	struct strtable_entry *entry;

	CHECK_HANDLE(map, MAP_MAGIC);
	CHECK_GIVEN(key);
	CHECK_GIVEN(value);
	entry = strtable_find(&map->table, key);
	if (entry)
		entry->value = copy_text(map->spk, value);
	else
		strtable_add(map->spk, &map->table, key, value);
}

const char *spk_map_find(const struct spk_map *map, const char *key)
{
	const struct strtable_entry *entry;

	CHECK_HANDLE(map, MAP_MAGIC);
	CHECK_GIVEN(key);
	entry = strtable_find(&map->table, key);
	return entry ? entry->value : NULL;
}

const char *spk_map_get(const struct spk_map *map, const char *key)
{
	const struct strtable_entry *entry;

	CHECK_HANDLE(map, MAP_MAGIC);
	CHECK_GIVEN(key);
	entry = strtable_find(&map->table, key);
	if (!entry)
		spk_raise(map->spk, "map", NULL, "there is no key '%s'", key);
	return entry->value;
}

bool spk_map_remove(struct spk_map *map, const char *key)
{
	CHECK_HANDLE(map, MAP_MAGIC);
	CHECK_GIVEN(key);
	return strtable_remove(&map->table, key);
}

size_t spk_map_count(const struct spk_map *map)
{
	CHECK_HANDLE(map, MAP_MAGIC);
	return map->table.count;
}

spk_strings spk_map_keys(const struct spk_map *map)
{
	CHECK_HANDLE(map, MAP_MAGIC);
	return strtable_keys(map->spk, &map->table);
}
