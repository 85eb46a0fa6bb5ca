/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of texts. */
#include <spicerack/collection.h>

#include <spicerack/error.h>

#include "misuse.h"
#include "strtable.h"

#define SET_MAGIC 0x7365741eU

struct spk_set {
	uint32_t magic;
	struct spk *spk;
	struct strtable table;
};

struct spk_set *spk_set_new(struct spk *spk)
{
	struct spk_set *set = SPK_NEW(spk, struct spk_set);

	set->spk = spk;
	strtable_init(&set->table);
	set->magic = SET_MAGIC;
	return set;
}

static bool add(struct spk_set *set, const char *member)
{
	if (strtable_find(&set->table, member))
		return false;
	strtable_add(set->spk, &set->table, member, NULL);
	return true;
}

struct spk_set *spk_set_of(struct spk *spk, spk_strings members)
{
	struct spk_set *set;

	CHECK_LIST(members);
	set = spk_set_new(spk);
	for (size_t i = 0; i < members.count; i++)
		add(set, members.items[i]);
	return set;
}

bool spk_set_add(struct spk_set *set, const char *member)
{
	CHECK_HANDLE(set, SET_MAGIC);
	CHECK_GIVEN(member);
	return add(set, member);
}

bool spk_set_remove(struct spk_set *set, const char *member)
{
	CHECK_HANDLE(set, SET_MAGIC);
	CHECK_GIVEN(member);
	return strtable_remove(&set->table, member);
}

bool spk_set_has(const struct spk_set *set, const char *member)
{
	CHECK_HANDLE(set, SET_MAGIC);
	CHECK_GIVEN(member);
	return strtable_find(&set->table, member) != NULL;
}

size_t spk_set_count(const struct spk_set *set)
{
	CHECK_HANDLE(set, SET_MAGIC);
	return set->table.count;
}

spk_strings spk_set_members(const struct spk_set *set)
{
	CHECK_HANDLE(set, SET_MAGIC);
	return strtable_keys(set->spk, &set->table);
}

/* Adds to `to` the members of `from`: all of them, or those that `other` has or has not. */
static void add_from(struct spk_set *to, const struct spk_set *from, const struct spk_set *other,
		     bool had)
{
	const struct strtable_entry *entry;
	size_t place = 0;

	while ((entry = strtable_next(&from->table, &place))) {
		if (!other || (strtable_find(&other->table, entry->key) != NULL) == had)
			add(to, entry->key);
	}
}

struct spk_set *spk_set_union(const struct spk_set *a, const struct spk_set *b)
{
	struct spk_set *set;

	CHECK_HANDLE(a, SET_MAGIC);
	CHECK_HANDLE(b, SET_MAGIC);
	set = spk_set_new(a->spk);
	add_from(set, a, NULL, false);
	add_from(set, b, NULL, false);
	return set;
}

struct spk_set *spk_set_intersection(const struct spk_set *a, const struct spk_set *b)
{
	struct spk_set *set;

	CHECK_HANDLE(a, SET_MAGIC);
	CHECK_HANDLE(b, SET_MAGIC);
	set = spk_set_new(a->spk);
	add_from(set, a, b, true);
	return set;
}

struct spk_set *spk_set_minus(const struct spk_set *a, const struct spk_set *b)
{
	struct spk_set *set;

	CHECK_HANDLE(a, SET_MAGIC);
	CHECK_HANDLE(b, SET_MAGIC);
	set = spk_set_new(a->spk);
	add_from(set, a, b, false);
	return set;
}

bool spk_set_within(const struct spk_set *a, const struct spk_set *b)
{
	const struct strtable_entry *entry;
	size_t place = 0;

	CHECK_HANDLE(a, SET_MAGIC);
	CHECK_HANDLE(b, SET_MAGIC);
	while ((entry = strtable_next(&a->table, &place))) {
		if (!strtable_find(&b->table, entry->key))
			return false;
	}
	return true;
}
