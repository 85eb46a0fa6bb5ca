/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store by API 3. Each entry is a key of its own below its lock's, on the one lease of this
 * store; the order of their creation is the queue, and who holds follows from it alone
 * (entries_holds()): no write is needed when a waiter comes in. docs/locks-wire.md.
 */
#ifndef SPICERACK_ETCD_V3_H
#define SPICERACK_ETCD_V3_H

#include "store.h"
#include "wire3.h"

/* One entry of ours. */
struct lock {
	struct lock *next;
	char *key, *id;
	bool holds;
	bool lost;
	struct entries queue; /* of the key, by what was read and watched */
	uint64_t seen;        /* the revision that `queue` is of */
	int64_t read_at;      /* when it was read, not only watched */
	uint64_t shown;       /* what the visitor saw last, as a sum */
	struct http_stream *watch;
};

struct v3 {
	struct store store;
	int64_t lease;       /* 0: none */
	int64_t until, next; /* when the lease ends, and is to be renewed */
	struct lock *locks;
	struct entries listed;
};

/* `path` of the API is sent `body`. Statuses as of client_do(). */
enum spk_lock_status v3_post(struct v3 *v3, const char *path, const char *body,
			     struct client_answer *answer, struct spk_lock_call *call);

/* Appends {"key":...,"range_end":...} without the braces, for all entries of a key. */
void v3_add_range(struct text *text, const char *key);

/*
 * The entries of a `response_range` or an answer to a range request into *entries, sorted, and the
 * revision that they are of. UNREACHABLE when the answer is damaged.
 */
enum spk_lock_status v3_take_queue(const cJSON *range, uint64_t revision, struct entries *entries,
				   struct spk_lock_call *call);

/* What stands before the entry in its queue. REFUSED, with the reason, for what cannot be read. */
enum spk_lock_status v3_judge_queue(struct lock *lock, struct spk_lock_entry *entry,
				    struct spk_lock_call *call);
/* A sum over those in the way: another one when they have changed. */
uint64_t v3_sum_queue(const struct lock *lock);
/* Shows those in the way of the entry. */
void v3_show_queue(struct lock *lock, spk_lock_visitor *visitor, void *data);

/* Puts the entry into the queue (once more) and reads it. OK: lock->queue is fresh. */
enum spk_lock_status v3_put(struct v3 *v3, struct lock *lock, const struct spk_lock_entry *entry,
			    struct spk_lock_call *call);

/* Reads lock->queue. */
enum spk_lock_status v3_read(struct v3 *v3, struct lock *lock, struct spk_lock_call *call);

/* v3renew.c: the lease. */
enum spk_lock_status v3_grant(struct v3 *v3, int64_t length_ns, int64_t *ret_lease,
			      int64_t *ret_until, int64_t *ret_next, struct spk_lock_call *call);
enum spk_lock_status v3_revoke(struct v3 *v3, int64_t lease, struct spk_lock_call *call);
enum spk_lock_status v3_renew(void *store, int64_t *ret_until, int64_t *ret_next,
			      struct spk_lock_call *call);
bool v3_holds_any(const struct v3 *v3);

/* v3wait.c: the queue. */
/* One answer of the watch. OK, or UNREACHABLE: the queue has to be read again. */
enum spk_lock_status v3_follow(struct lock *lock, const cJSON *json, struct spk_lock_call *call);
enum spk_lock_status v3_wait(void *store, struct spk_lock_entry *entry, spk_lock_visitor *visitor,
			     void *data, struct spk_lock_call *call);

struct lock *v3_find(const struct v3 *v3, const char *key, const char *id);
void v3_forget(struct v3 *v3, struct lock *lock);

#endif
