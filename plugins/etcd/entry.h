/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of one lock, and lists of them. */
#ifndef SPICERACK_ETCD_ENTRY_H
#define SPICERACK_ETCD_ENTRY_H

#include <spicerack/plugin.h>

/* Below it lie the kinds of locks: "/spicerack/locks/cookbooks/NAME". */
#define LOCKS_BASE "/spicerack/locks/"

/* One holder, waiter or freeze of a key; the texts are its own. */
struct entry {
	char *key, *id, *owner;
	char *cookbook; /* NULL: not told */
	char *reason;   /* NULL: no freeze */
	char *wrong;    /* why its value cannot be read, all else but key and id then being unset;
			   NULL: it can */
	int64_t created_ns, ttl_ns;
	int32_t concurrency;
	uint64_t revision; /* of its creation */
	int64_t lease;
	uint64_t in_until; /* of a freeze: the revision of the last one that was in before it */
};

/* Zero-initialised is empty. */
struct entries {
	struct entry *items;
	size_t count, capacity;
};

/* A zeroed one at the end; valid until the next call. */
struct entry *entries_add(struct entries *entries);
void entries_remove(struct entries *entries, size_t index);
void entries_clear(struct entries *entries);
void entries_free(struct entries *entries);
/* The index of an id, `count` when there is none. */
size_t entries_find(const struct entries *entries, const char *id);
/* By key, and in a key by the revision, or else the time, of their creation. */
void entries_sort(struct entries *entries);

/*
 * The rule of API 3: how many hold the lock. All entries are of one key and in order; freezes stand
 * between them and are not counted. As many from the first on hold it as the smallest concurrency
 * of themselves allows; whoever came after the `in_until` of a freeze does not.
 */
size_t entries_holders(const struct entries *entries);

/* Shows the first `count` of one key with their places. */
void entries_visit(const struct entries *entries, size_t first, size_t count,
		   spk_lock_visitor *visitor, void *data);

/* Whether this is a key below LOCKS_BASE of two parts, and an id a word. */
bool entry_names_ok(const char *key, const char *id, struct spk_reason_buffer *reason);

#endif
