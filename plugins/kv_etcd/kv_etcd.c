/* SPDX-License-Identifier: Apache-2.0 */
/* The driver that keeps keys in etcd, API 3 and API 2, as conftool has them. */
#include "store.h"

#include <string.h>

#include "../base/memory.h"

/* Of one answer: some hundred thousand objects of conftool, which API 2 has in one piece. */
#define ANSWER_LIMIT ((size_t)256 * 1024 * 1024)

SPK_API extern const struct spk_kv_driver spk_driver;

struct store {
	const struct api *api;
	struct client *client;
};

static int read_settings(const struct spk_driver_setting *given, size_t count,
			 struct settings *settings, struct spk_reason_buffer *reason)
{
	const char *api = NULL;

	for (size_t i = 0; i < count; i++)
		if (strcmp(given[i].name, "api") == 0)
			api = given[i].value;
	if (settings_begin(api, settings, reason) < 0)
		return -1;
	settings->answer_limit = ANSWER_LIMIT;
	for (size_t i = 0; i < count; i++)
		if (strcmp(given[i].name, "config") == 0 &&
		    settings_read_file(given[i].value, true, settings, reason) < 0)
			return -1;
	return settings_end(settings, reason);
}

static void *open_store(const struct spk_driver_setting *given, size_t count,
			struct spk_reason_buffer *reason)
{
	struct settings settings = {0};
	struct client *client = NULL;
	struct store *store;
	int api;

	if (read_settings(given, count, &settings, reason) == 0) {
		api = settings.api;
		client = client_new(&settings, reason);
	}
	settings_free(&settings);
	if (!client)
		return NULL;
	store = memory_new(1, sizeof(*store));
	store->api = api == 2 ? &api2 : &api3;
	store->client = client;
	return store;
}

static void close_store(void *data)
{
	struct store *store = data;

	client_free(store->client);
	memory_free(store);
}

/* What a call of the client came to, for a caller of this driver. */
static enum spk_kv_status finish(enum spk_lock_status status, bool open,
				 const struct spk_lock_call *from, struct spk_kv_call *call)
{
	call->reason = from->reason;
	switch (status) {
	case SPK_LOCK_OK:
		return SPK_KV_OK;
	case SPK_LOCK_MISSING:
		return SPK_KV_MISSING;
	case SPK_LOCK_BUSY:
		return SPK_KV_CONFLICT;
	case SPK_LOCK_TIMEOUT:
		return SPK_KV_TIMEOUT;
	case SPK_LOCK_CANCELLED:
		return SPK_KV_CANCELLED;
	case SPK_LOCK_REFUSED:
		return SPK_KV_REFUSED;
	default:
		return open ? SPK_KV_UNCERTAIN : SPK_KV_UNREACHABLE;
	}
}

static enum spk_kv_status read_items(struct store *store, bool below, const char *key,
				     spk_kv_visitor *visitor, void *data, struct spk_kv_call *call)
{
	struct spk_lock_call inner = {.deadline_ns = call->deadline_ns,
				      .cancel_fd = call->cancel_fd};
	enum spk_lock_status status;
	struct items items = {0};

	status = (below ? store->api->list : store->api->get)(store->client, key, &items, &inner);
	if (status == SPK_LOCK_OK)
		(void)items_show(&items, visitor, data);
	items_free(&items);
	return finish(status, false, &inner, call);
}

static enum spk_kv_status get(void *store, const char *key, spk_kv_visitor *visitor, void *data,
			      struct spk_kv_call *call)
{
	return read_items(store, false, key, visitor, data, call);
}

static enum spk_kv_status list(void *store, const char *prefix, spk_kv_visitor *visitor, void *data,
			       struct spk_kv_call *call)
{
	return read_items(store, true, prefix, visitor, data, call);
}

static size_t most(void *data)
{
	const struct store *store = data;

	return store->api->most;
}

static enum spk_kv_status write_changes(void *data, const struct spk_kv_change *changes,
					size_t count, struct spk_kv_call *call)
{
	struct store *store = data;
	struct spk_lock_call inner = {.deadline_ns = call->deadline_ns,
				      .cancel_fd = call->cancel_fd};
	enum spk_lock_status status;
	bool open = false;

	status = store->api->write(store->client, changes, count, &open, &inner);
	return finish(status, open, &inner, call);
}

const struct spk_kv_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_kv_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "kv",
		   .name = "etcd"},
	.open = open_store,
	.close = close_store,
	.get = get,
	.list = list,
	.most = most,
	.write = write_changes,
};
