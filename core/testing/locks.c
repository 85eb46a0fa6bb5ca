/* SPDX-License-Identifier: Apache-2.0 */
/* A store of locks in the world of a test (kind "lock"). */
#include "outside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/clock.h>

#include "../runtime/mem.h"
#include "../runtime/testing.h"
#include "world.h"

#define RUN_KEYS "/spicerack/locks/cookbooks/"

/* Nobody renews, so nothing ends. */
static enum spk_lock_status renew(void *store, int64_t *ret_until, int64_t *ret_next,
				  struct spk_lock_call *call)
{
	*ret_until = *ret_next = INT64_MAX;
	return SPK_LOCK_OK;
}

static void *open_store(const struct spk_lock_setting *settings, size_t count,
			struct spk_reason_buffer *reason)
{
	return world_here();
}

static void close_store(void *store, struct spk_lock_call *call)
{
}

/* Of others: the whole key, or its end behind a slash. */
static bool is_key(const struct world_lock *lock, const char *key)
{
	size_t length = strlen(lock->key), all = strlen(key);

	if (!lock->others || length >= all)
		return strcmp(lock->key, key) == 0;
	return key[all - length - 1] == '/' && strcmp(key + all - length, lock->key) == 0;
}

static bool holds(const struct world_lock *lock)
{
	return !lock->gone && lock->frees_ns > spk_uptime().ns;
}

static void show(const struct world_lock *lock, const char *key, spk_lock_visitor *visitor,
		 void *data)
{
	const struct spk_lock_entry entry = {
		.size = sizeof(entry),
		.key = key,
		.id = lock->id,
		.owner = lock->owner,
		.cookbook = lock->cookbook,
		.created_ns = lock->created_ns,
		.ttl_ns = lock->ttl_ns,
		.concurrency = lock->concurrency,
		.fence = lock->fence,
	};

	visitor(data, &entry);
}

/* Whether there is room for one more who asks for that. Shows those who have it, else. */
static bool is_free(struct world *world, const struct spk_lock_entry *entry,
		    spk_lock_visitor *visitor, void *data)
{
	int32_t most = entry->concurrency ? entry->concurrency : INT32_MAX, holders = 0;

	for (const struct world_lock *lock = world->locks; lock; lock = lock->next) {
		if (!holds(lock) || !is_key(lock, entry->key))
			continue;
		holders++;
		if (lock->concurrency && lock->concurrency < most)
			most = lock->concurrency;
	}
	for (const struct world_lock *lock = world->locks; holders >= most && lock;
	     lock = lock->next)
		if (holds(lock) && is_key(lock, entry->key))
			show(lock, entry->key, visitor, data);
	return holders < most;
}

static enum spk_lock_status enter(void *store, struct spk_lock_entry *entry,
				  spk_lock_visitor *visitor, void *data, struct spk_lock_call *call)
{
	struct world *world = store;
	struct world_lock *lock;

	entry->place = 1;
	entry->created_ns = spk_now().ns;
	/* That of a run; those of a cookbook are steps of its own process. */
	if (strncmp(entry->key, RUN_KEYS, sizeof(RUN_KEYS) - 1) == 0) {
		char *step = xasprintf("lock %s", entry->key);
		bool fails = world_step(true, false, step);

		free(step);
		if (fails) {
			snprintf(call->reason.text, sizeof(call->reason.text),
				 "the test has it fail");
			return SPK_LOCK_REFUSED;
		}
	}
	if (!is_free(world, entry, visitor, data))
		return SPK_LOCK_WAITING;
	lock = world_alloc(world, sizeof(*lock));
	*lock = (struct world_lock){
		.next = world->locks,
		.key = world_text(world, entry->key),
		.id = world_text(world, entry->id),
		.owner = world_text(world, entry->owner),
		.cookbook = world_text(world, entry->cookbook),
		.frees_ns = INT64_MAX,
		.created_ns = entry->created_ns,
		.ttl_ns = entry->ttl_ns,
		.fence = ++world->fences,
		.concurrency = entry->concurrency,
	};
	world->locks = lock;
	entry->place = 0;
	entry->fence = lock->fence;
	world_happened(world, "lock %s", entry->key);
	return SPK_LOCK_OK;
}

/* Until one of those in the way goes, or the time is over. */
static enum spk_lock_status wait_for(void *store, struct spk_lock_entry *entry,
				     spk_lock_visitor *visitor, void *data,
				     struct spk_lock_call *call)
{
	struct world *world = store;
	int64_t until = call->deadline_ns;

	for (const struct world_lock *lock = world->locks; lock; lock = lock->next)
		if (holds(lock) && is_key(lock, entry->key) && lock->frees_ns < until)
			until = lock->frees_ns;
	testing_sleep_until(until);
	return until == call->deadline_ns ? SPK_LOCK_TIMEOUT
					  : enter(store, entry, visitor, data, call);
}

static enum spk_lock_status leave(void *store, const struct spk_lock_entry *entry,
				  struct spk_lock_call *call)
{
	struct world *world = store;

	for (struct world_lock *lock = world->locks; lock; lock = lock->next) {
		if (lock->gone || lock->others || strcmp(lock->id, entry->id) != 0)
			continue;
		lock->gone = true;
		world_happened(world, "unlock %s", lock->key);
		return SPK_LOCK_OK;
	}
	return SPK_LOCK_MISSING;
}

static enum spk_lock_status list(void *store, const char *key, spk_lock_visitor *visitor,
				 void *data, struct spk_lock_call *call)
{
	struct world *world = store;

	for (const struct world_lock *lock = world->locks; lock; lock = lock->next)
		if (holds(lock) && (!key || is_key(lock, key)))
			show(lock, key ? key : lock->key, visitor, data);
	return SPK_LOCK_OK;
}

/* These two are for operators, of whom there are none here. */
static enum spk_lock_status remove_entry(void *store, const char *key, const char *id,
					 struct spk_lock_call *call)
{
	return SPK_LOCK_MISSING;
}

static enum spk_lock_status freeze(void *store, struct spk_lock_entry *entry,
				   struct spk_lock_call *call)
{
	return SPK_LOCK_REFUSED;
}

const struct spk_lock_driver outside_locks = {
	.driver = {.size = sizeof(outside_locks),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "lock",
		   .name = OUTSIDE_NAME},
	.open = open_store,
	.close = close_store,
	.enter = enter,
	.wait = wait_for,
	.leave = leave,
	.renew = renew,
	.list = list,
	.remove = remove_entry,
	.freeze = freeze,
};
