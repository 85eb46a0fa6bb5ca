/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ordered hash table from texts to texts in memory of the run, under maps and
 * sets. Plain data: another process that has the run's memory at the same address
 * can read it, also when the process that wrote it died in the middle.
 */
#ifndef SPICERACK_CORE_STRTABLE_H
#define SPICERACK_CORE_STRTABLE_H

#include <spicerack/session.h>

struct strtable_entry {
	const char *key; /* NULL: removed */
	const void *value;
	uint64_t hash;
};

struct strtable_storage;

struct strtable {
	uint64_t seed; /* of the hash, drawn per table: nobody can prepare keys that collide */
	size_t count;
	struct strtable_storage *storage; /* NULL: nothing was added yet */
};

void strtable_init(struct strtable *table);
/* The entry, or NULL. Valid until the next strtable_add(). */
struct strtable_entry *strtable_find(const struct strtable *table, const char *key);
/* Adds a key that is not there; both texts are copied, `value` may be NULL. */
void strtable_add(struct spk *spk, struct strtable *table, const char *key, const char *value);
/* The same without copies: both belong to the caller, and stay. */
void strtable_put(struct spk *spk, struct strtable *table, const char *key, const void *value);
bool strtable_remove(struct strtable *table, const char *key);
/* The next entry in order, from `*place`, which starts at 0; NULL at the end. */
const struct strtable_entry *strtable_next(const struct strtable *table, size_t *place);
/* A new list of the keys as they are now. */
spk_strings strtable_keys(struct spk *spk, const struct strtable *table);

#endif
