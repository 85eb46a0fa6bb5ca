/* SPDX-License-Identifier: Apache-2.0 */
#include "strtable.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <spicerack/error.h>

#include "copy.h"

/*
 * The entries in the order they were added, and an open addressing index of twice as many
 * slots: number of an entry + 1, 0 for a free one. An entry that was removed stays, without
 * its key, until the storage is full; then the rest moves to a new one. What is in use is
 * never moved in place, so that a process that died in between leaves a whole table.
 */
struct strtable_storage {
	size_t capacity; /* entries; a power of two */
	size_t used;     /* entries, removed ones included */
	uint32_t *slots; /* 2 * capacity */
	struct strtable_entry entries[];
};

#define MINIMUM 8
#define MAXIMUM ((size_t)1 << 30)

void strtable_init(struct strtable *table)
{
	struct timespec now;

	*table = (struct strtable){0};
	if (getrandom(&table->seed, sizeof(table->seed), GRND_NONBLOCK) ==
	    (ssize_t)sizeof(table->seed))
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	table->seed = (uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)table;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Eight bytes a step, each folded in by a multiplication with the seed in both factors. */
static uint64_t hash_text(uint64_t seed, const char *text)
{
	const uint64_t odd = 0x9e3779b97f4a7c15ULL;
	size_t length = strlen(text);
	uint64_t hash = seed ^ mix(seed ^ odd, (uint64_t)length + odd);
	uint64_t part;

	for (; length >= sizeof(part); length -= sizeof(part), text += sizeof(part)) {
		memcpy(&part, text, sizeof(part));
		hash = mix(hash ^ part, seed ^ odd);
	}
	part = 0;
	memcpy(&part, text, length);
	return mix(mix(hash ^ part, seed ^ odd) ^ seed, odd);
}

static size_t mask_of(const struct strtable_storage *storage)
{
	return 2 * storage->capacity - 1;
}

struct strtable_entry *strtable_find(const struct strtable *table, const char *key)
{
	struct strtable_storage *storage = table->storage;
	uint64_t hash;

	if (!storage)
		return NULL;
	hash = hash_text(table->seed, key);
	for (size_t i = hash & mask_of(storage);; i = (i + 1) & mask_of(storage)) {
		struct strtable_entry *entry;

		if (!storage->slots[i])
			return NULL;
		entry = &storage->entries[storage->slots[i] - 1];
		if (entry->key && entry->hash == hash && strcmp(entry->key, key) == 0)
			return entry;
	}
}

/* There is room. The slot is written last: it is what makes the entry exist. */
static void insert(struct strtable_storage *storage, const struct strtable_entry *entry)
{
	size_t i = entry->hash & mask_of(storage);

	while (storage->slots[i])
		i = (i + 1) & mask_of(storage);
	storage->entries[storage->used] = *entry;
	storage->used++;
	storage->slots[i] = (uint32_t)storage->used;
}

static void rebuild(struct spk *spk, struct strtable *table)
{
	struct strtable_storage *storage;
	size_t capacity = MINIMUM;

	while (capacity < 2 * table->count)
		capacity *= 2;
	if (capacity > MAXIMUM)
		spk_raise(spk, "misuse", NULL, "a map or set of %zu texts is too large",
			  table->count);
	storage = spk_alloc(spk, sizeof(*storage) + capacity * sizeof(storage->entries[0]));
	storage->slots = spk_alloc(spk, 2 * capacity * sizeof(storage->slots[0]));
	storage->capacity = capacity;
	for (size_t i = 0; table->storage && i < table->storage->used; i++) {
		if (table->storage->entries[i].key)
			insert(storage, &table->storage->entries[i]);
	}
	table->storage = storage;
}

void strtable_put(struct spk *spk, struct strtable *table, const char *key, const void *value)
{
	struct strtable_entry entry = {
		.key = key,
		.value = value,
		.hash = hash_text(table->seed, key),
	};

	if (!table->storage || table->storage->used == table->storage->capacity)
		rebuild(spk, table);
	insert(table->storage, &entry);
	table->count++;
}

void strtable_add(struct spk *spk, struct strtable *table, const char *key, const char *value)
{
	strtable_put(spk, table, copy_text(spk, key), value ? copy_text(spk, value) : NULL);
}

bool strtable_remove(struct strtable *table, const char *key)
{
	struct strtable_entry *entry = strtable_find(table, key);

	if (!entry)
		return false;
	entry->key = NULL;
	table->count--;
	return true;
}

const struct strtable_entry *strtable_next(const struct strtable *table, size_t *place)
{
	while (table->storage && *place < table->storage->used) {
		const struct strtable_entry *entry = &table->storage->entries[(*place)++];

		if (entry->key)
			return entry;
	}
	return NULL;
}

spk_strings strtable_keys(struct spk *spk, const struct strtable *table)
{
	const struct strtable_entry *entry;
	const char **items = NULL;
	size_t place = 0, count = 0;

	if (table->count)
		items = spk_alloc(spk, table->count * sizeof(char *));
	while (count < table->count && (entry = strtable_next(table, &place)))
		items[count++] = entry->key;
	return (spk_strings){items, count};
}
