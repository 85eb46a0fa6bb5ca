/* SPDX-License-Identifier: Apache-2.0 */
/* Conftool's store: a real one, of this machine, that belongs to the test. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <spicerack/clock.h>

#include "../runtime/kvstore.h"
#include "../runtime/mem.h"

static struct kv_store open_store(const struct spk_test *test)
{
	char *directory = xasprintf("%s/kv", test->directory);
	const struct kv_config config = {.store = "sqlite", .directory = directory};
	const struct conftool_config none = {0};
	struct kv_store store;
	struct err err;

	if (kv_store_open(&config, &none, false, &store, &err) < 0)
		test_give_up("%s", err.text);
	free(directory);
	return store;
}

static struct spk_kv_call call_of(const struct spk_test *test)
{
	return (struct spk_kv_call){.deadline_ns = spk_uptime().ns + test->limit.ns,
				    .cancel_fd = -1};
}

void spk_test_kv(struct spk_test *test, const char *key, const char *value)
{
	CHECK_TEST(test);
	CHECK_POINTERS(key, value);
	const struct spk_kv_change change = {
		.size = sizeof(change), .key = key, .value = value, .length = strlen(value)};
	struct kv_store store = open_store(test);
	struct spk_kv_call call = call_of(test);
	struct err err;
	enum spk_kv_status status;

	if (kv_key_check(key, &err) < 0)
		test_give_up("%s", err.text);
	status = store.driver->write(store.store, &change, 1, &call);
	kv_store_close(&store);
	if (status != SPK_KV_OK && kv_explain(&call, status, &err) < 0)
		test_give_up("cannot write the key %s: %s", key, err.text);
}

static bool take(void *data, const struct spk_kv_item *item)
{
	char **value = data;

	*value = xstrdup(item->value);
	return true;
}

char *keys_get(const struct spk_test *test, const char *key)
{
	struct kv_store store = open_store(test);
	struct spk_kv_call call = call_of(test);
	char *value = NULL;

	(void)store.driver->get(store.store, key, take, &value, &call);
	kv_store_close(&store);
	return value;
}
