/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks of a cookbook's own, beside the one that each run has (`.lock` of the descriptor). They
 * keep other runs out of something smaller or larger than what a run is about:
 *
 *     {
 *     	SPK_SCOPED(spk_lock_acquired(spk, "deploy:web", SPK_LOCK(.ttl = SPK_MINUTES(10))));
 *     	spk_command_run(...);
 *     }
 *
 * The supervisor takes them, holds on to them whatever the cookbook does, and gives back at the end
 * of the run what was not given back before. A lock that is lost (its store is out of reach for
 * too long, an operator took it away) ends the run with 91 instead of an error here.
 *
 * In a dry run nothing is taken, and what would be waited for is logged. With --no-locks or
 * `locks.enabled = false` every call succeeds and does nothing.
 */
#ifndef SPICERACK_LOCK_H
#define SPICERACK_LOCK_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_scope;

/* A lock that was acquired. It belongs to the run. */
struct spk_lock;

/* For .wait: not at all. */
#define SPK_NO_WAIT ((spk_duration){-1})

/* How a lock is wanted. A member left out has its default. */
struct spk_lock_options {
	uint32_t size;       /* set by SPK_LOCK() */
	int32_t concurrency; /* how many may hold it at once: 1; SPK_UNLIMITED for any number */
	/*
	 * How long it should be held at most: 30 minutes. A run that takes longer keeps it all the
	 * same, with a warning; the Python host would let others in.
	 */
	spk_duration ttl;
	spk_duration wait; /* for how long to wait for it: `locks.wait`, about half an hour */
	bool module;       /* a lock of a library: its name starts with "spicerack." */
	bool reserved[7];
};

/* SPK_LOCK(.concurrency = 5, .ttl = SPK_MINUTES(10)) */
#define SPK_LOCK(...)                                                                              \
	(&(const struct spk_lock_options){.size = sizeof(struct spk_lock_options), ##__VA_ARGS__})

/*
 * Takes the lock `/spicerack/locks/custom/NAME` (`modules/NAME`), waiting for it. The name is not
 * empty, printable, at most 512 bytes long and holds no slash and no secret. `how` NULL is
 * SPK_LOCK().
 *
 * Raises `lock.invalid` for a name, a concurrency or a ttl that cannot be, `lock.unavailable` when
 * it could not be had in time, with those who hold it in the message, `lock.deadlock` when this run
 * or one that it is within holds it itself, `lock.store` when the store of locks does not work,
 * `interrupted`. Since 1.0.
 */
SPK_API struct spk_lock *spk_lock_acquire(struct spk *spk, const char *name,
					  const struct spk_lock_options *how);

/*
 * Gives it back. Never raises: a failure is logged, and the lock is given back at the end of the
 * run. Once more, or NULL, is fine. Since 1.0.
 */
SPK_API void spk_lock_release(struct spk_lock *lock);

/* Gives the lock back at the end of the scope: SPK_SCOPED(spk_lock_scope(spk, lock)). Since 1.0. */
SPK_API struct spk_scope *spk_lock_scope(struct spk *spk, struct spk_lock *lock);

/* Both at once: SPK_SCOPED(spk_lock_acquired(spk, "name", NULL)). Since 1.0. */
SPK_API struct spk_scope *spk_lock_acquired(struct spk *spk, const char *name,
					    const struct spk_lock_options *how);

/*
 * The fencing token: a number that grows with every holder of the key. A system that remembers the
 * largest one it has seen, and refuses smaller ones, is safe from a holder that was asleep while
 * its lock ended. 0 when there is none: a dry run, no locks, or a store that has none
 * (etcd's API 2). Since 1.0.
 */
SPK_API uint64_t spk_lock_fence(const struct spk_lock *lock);

/* The same of the lock of the run itself. 0 before `run`, too. Since 1.0. */
SPK_API uint64_t spk_run_fence(struct spk *spk);

#ifdef __cplusplus
}
#endif

#endif
