/* SPDX-License-Identifier: Apache-2.0 */
/* The lock driver for etcd, API 3 and API 2. */
#include "store.h"

#include <time.h>

SPK_API extern const struct spk_lock_driver spk_driver;

int64_t store_realtime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static void *open_store(const struct spk_lock_setting *given, size_t count,
			struct spk_reason_buffer *reason)
{
	struct settings settings;
	struct client *client = NULL;
	int api;

	if (settings_read(given, count, &settings, reason) == 0) {
		api = settings.api;
		client = client_new(&settings, reason);
	}
	settings_free(&settings);
	if (!client)
		return NULL;
	return api == 2 ? v2_new(client) : v3_new(client);
}

static void close_store(void *data, struct spk_lock_call *call)
{
	struct store *store = data;

	store->calls->close(store, call);
}

static enum spk_lock_status enter(void *data, struct spk_lock_entry *entry,
				  spk_lock_visitor *visitor, void *visitor_data,
				  struct spk_lock_call *call)
{
	struct store *store = data;

	if (!entry_names_ok(entry->key, entry->id, &call->reason))
		return SPK_LOCK_REFUSED;
	if (entry->concurrency < 0 || entry->ttl_ns <= 0) {
		reason_set(&call->reason, "%s: concurrency or ttl out of range", entry->key);
		return SPK_LOCK_REFUSED;
	}
	return store->calls->enter(store, entry, visitor, visitor_data, call);
}

static enum spk_lock_status wait_for(void *data, struct spk_lock_entry *entry,
				     spk_lock_visitor *visitor, void *visitor_data,
				     struct spk_lock_call *call)
{
	struct store *store = data;

	return store->calls->wait(store, entry, visitor, visitor_data, call);
}

static enum spk_lock_status leave(void *data, const struct spk_lock_entry *entry,
				  struct spk_lock_call *call)
{
	struct store *store = data;

	if (!entry_names_ok(entry->key, entry->id, &call->reason))
		return SPK_LOCK_REFUSED;
	return store->calls->leave(store, entry, call);
}

static enum spk_lock_status renew(void *data, int64_t *ret_until, int64_t *ret_next,
				  struct spk_lock_call *call)
{
	struct store *store = data;

	return store->calls->renew(store, ret_until, ret_next, call);
}

static enum spk_lock_status list(void *data, const char *key, spk_lock_visitor *visitor,
				 void *visitor_data, struct spk_lock_call *call)
{
	struct store *store = data;

	if (key && !entry_names_ok(key, NULL, &call->reason))
		return SPK_LOCK_REFUSED;
	return store->calls->list(store, key, visitor, visitor_data, call);
}

static enum spk_lock_status remove_entry(void *data, const char *key, const char *id,
					 struct spk_lock_call *call)
{
	struct store *store = data;

	if (!entry_names_ok(key, id, &call->reason))
		return SPK_LOCK_REFUSED;
	return store->calls->remove(store, key, id, call);
}

static enum spk_lock_status freeze(void *data, struct spk_lock_entry *entry,
				   struct spk_lock_call *call)
{
	struct store *store = data;

	if (!entry_names_ok(entry->key, entry->id, &call->reason))
		return SPK_LOCK_REFUSED;
	if (!entry->reason || entry->ttl_ns <= 0) {
		reason_set(&call->reason, "%s: a freeze wants a reason and a ttl", entry->key);
		return SPK_LOCK_REFUSED;
	}
	return store->calls->freeze(store, entry, call);
}

const struct spk_lock_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_lock_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "lock",
		   .name = "etcd"},
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
