/* SPDX-License-Identifier: Apache-2.0 */
#include "kvstore.h"

#include <string.h>

#include "driver.h"
#include "printable.h"
#include "statedir.h"

/* What conftool reads before the user's file and its own. */
#define ETCDRC "/etc/etcd/etcdrc"
#define SETTINGS_MAX 8

struct settings_list {
	struct spk_driver_setting items[SETTINGS_MAX];
	size_t count;
};

static bool is_set(const char *text)
{
	return text && *text;
}

/* What is not set is not told. */
static void tell(struct settings_list *list, const char *name, const char *value)
{
	if (is_set(value))
		list->items[list->count++] = (struct spk_driver_setting){name, value};
}

const char *kv_store_name(const struct kv_config *config, const struct conftool_config *conftool)
{
	if (is_set(config->store))
		return config->store;
	return conftool->driver ? conftool->driver : "sqlite";
}

/* The directory of a store of this machine can be used, or need not. */
static int prepare_directory(const struct kv_config *config, bool read_only, struct err *err)
{
	if (!is_set(config->directory))
		return err_set(err, "'kv.directory' is not set and you have no home directory");
	return (read_only ? state_dir_check : state_dir_make)(config->directory, err);
}

int kv_store_open(const struct kv_config *config, const struct conftool_config *conftool,
		  bool read_only, struct kv_store *ret, struct err *err)
{
	const char *name = kv_store_name(config, conftool);
	struct spk_reason_buffer reason = {""};
	struct settings_list list = {0};
	const struct spk_driver *driver;

	*ret = (struct kv_store){0};
	if (strcmp(name, "sqlite") == 0 && prepare_directory(config, read_only, err) < 0)
		return -1;
	driver = driver_open("kv", name, sizeof(struct spk_kv_driver), err);
	if (!driver)
		return -1;
	tell(&list, "directory", config->directory);
	tell(&list, "read_only", read_only ? "true" : NULL);
	tell(&list, "api", config->etcd_api);
	tell(&list, "config", ETCDRC);
	tell(&list, "config", config->etcdrc);
	tell(&list, "config", conftool->etcdrc);
	ret->driver = (const struct spk_kv_driver *)driver;
	ret->store = ret->driver->open(list.items, list.count, &reason);
	return ret->store ? 0 : err_set(err, "cannot open the store '%s': %s", name, reason.text);
}

void kv_store_close(struct kv_store *store)
{
	if (store->store)
		store->driver->close(store->store);
	store->store = NULL;
}

/* Parts between slashes, none of them empty or leading elsewhere. */
static bool has_good_parts(const char *key)
{
	if (*key != '/')
		return false;
	while (*key) {
		size_t length = strcspn(++key, "/");

		if (length == 0 || (length <= 2 && strncmp(key, "..", length) == 0))
			return false;
		key += length;
	}
	return true;
}

int kv_key_check(const char *key, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];

	if (strlen(key) <= KV_KEY_MAX && has_good_parts(key) && printable_is(key, strlen(key)))
		return 0;
	return err_set(err,
		       "%s: not a key: names between slashes, as in /conftool/v1/pools, at most %d "
		       "bytes",
		       printable_path(key, shown), KV_KEY_MAX);
}

int kv_explain(const struct spk_kv_call *call, enum spk_kv_status status, struct err *err)
{
	static const char *const words[] = {
		[SPK_KV_OK] = "no failure",
		[SPK_KV_MISSING] = "there is no such key",
		[SPK_KV_CONFLICT] = "somebody else has written it",
		[SPK_KV_TIMEOUT] = "no answer in time",
		[SPK_KV_CANCELLED] = "interrupted",
		[SPK_KV_UNREACHABLE] = "no answer",
		[SPK_KV_UNCERTAIN] = "no answer",
		[SPK_KV_REFUSED] = "refused",
	};
	size_t known = sizeof(words) / sizeof(words[0]);

	return err_set(err, "%s%s",
		       call->reason.text[0]     ? call->reason.text
		       : (size_t)status < known ? words[status]
						: "a failure that its driver does not explain",
		       status == SPK_KV_UNCERTAIN ? "; it may have been written all the same" : "");
}
