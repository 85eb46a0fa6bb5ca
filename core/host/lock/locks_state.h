/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The locks of an invocation, for the files that mind them: locks.c what is held and the lock of a
 * run, locks_news.c what the keeper tells, locks_child.c what a cookbook asks for.
 */
#ifndef SPICERACK_HOST_LOCKS_STATE_H
#define SPICERACK_HOST_LOCKS_STATE_H

#include "keeper.h"
#include "locks.h"
#include "runfile.h"

/* A lock that is held, or waited for. */
struct held_lock {
	char *key;
	char id[UUID_SIZE];
	struct run *run; /* whose it is */
	bool own;        /* the run's, not one that its cookbook asked for */
	int32_t concurrency;
	int64_t ttl_ns;
	uint64_t fence;
};

struct locks {
	struct log *log;
	const struct identity *identity;
	bool dry_run, enforced;
	int64_t patience_ns; /* of who has none of his own */
	struct lock_store_config config;
	struct run_file file;
	struct lease *lease;
	struct link_locks for_link;
	struct keeper *keeper;
	struct held_lock *held;
	size_t count, capacity;
	bool lost, told_lost;
	/* The order under way. */
	bool ordered, answered, waited;
	enum keeper_task task;
	struct held_lock wanted;
	bool for_child; /* who waits for the answer */
	int64_t began_ns, wait_ns;
	enum spk_lock_status status;
	struct err reason;
	struct lock_list others;
	struct buf others_text; /* as it was told last */
};

/* ---- locks.c ---- */

/* The lock of that id, or NULL. */
struct held_lock *locks_find(struct locks *locks, const char *id);
/* Forgets it. */
void locks_drop(struct locks *locks, struct held_lock *lock);
/* Who of us holds the key so that nobody else could make room for `wanted`; NULL: nobody. */
const struct held_lock *locks_find_deadlock(const struct locks *locks,
					    const struct held_lock *wanted);
/* As it stands in a store; the texts are those of the lock and of the invocation. */
struct spk_lock_entry locks_entry(const struct locks *locks, const struct held_lock *lock);

/* Gives the keeper an order about `wanted`, whose key it takes. None may be under way. */
void locks_order(struct locks *locks, enum keeper_task task, const struct held_lock *wanted,
		 int64_t wait_ns);
/* After its answer: what was taken is kept until it is given back. */
void locks_settle_order(struct locks *locks);

/* ---- locks_news.c ---- */

/* Takes all news there is, and tells the operator of it. */
void locks_take_news(struct locks *locks);
/* After KEEPER_LIST in a dry run: says what another run would wait for. */
void locks_tell_what_would_be(struct locks *locks);

#endif
