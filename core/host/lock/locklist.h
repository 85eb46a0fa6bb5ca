/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of locks as a store has shown them, and what follows from them. */
#ifndef SPICERACK_HOST_LOCKLIST_H
#define SPICERACK_HOST_LOCKLIST_H

#include <spicerack/plugin.h>

#include "../tree/pool.h"

struct lock_list {
	struct spk_lock_entry *entries; /* in the store's order; all texts are set */
	size_t count, capacity;
	struct pool *texts; /* what the entries point to; NULL: nothing yet */
};

/* Appends a copy: a visitor, with the list as its data. */
void lock_list_add(void *list, const struct spk_lock_entry *entry);
void lock_list_clear(struct lock_list *list);
void lock_list_free(struct lock_list *list);

/* Whether it is an operator's freeze, which lets nobody in. */
static inline bool lock_is_freeze(const struct spk_lock_entry *entry)
{
	return entry->reason != NULL;
}

static inline bool lock_is_held(const struct spk_lock_entry *entry)
{
	return !lock_is_freeze(entry) && entry->place == 0;
}

/* When its ttl has passed; as late as can be told where that is no time. */
static inline int64_t lock_entry_end(const struct spk_lock_entry *entry)
{
	int64_t end;

	return __builtin_add_overflow(entry->created_ns, entry->ttl_ns, &end) ? INT64_MAX : end;
}

/* How many of the entries hold the key, and the freeze among them, or NULL. */
size_t lock_list_holders(const struct lock_list *list);
const struct spk_lock_entry *lock_list_freeze(const struct lock_list *list);

/* The number of holders that is allowed to a newcomer that asks for `concurrency`; 0: any number.
 */
int32_t lock_list_limit(const struct lock_list *list, int32_t concurrency);

/* Whether a newcomer of that concurrency would hold it at once. */
bool lock_list_admits(const struct lock_list *list, int32_t concurrency);

#endif
