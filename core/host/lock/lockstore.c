/* SPDX-License-Identifier: Apache-2.0 */
#include "lockstore.h"

#include <stdio.h>
#include <string.h>

#include "../../runtime/driver.h"
#include "../../runtime/statedir.h"
#include "runfile.h"

/* What is left empty is not told. */
static void tell(struct lock_store_config *config, const char *name, const char *value)
{
	if (value && *value)
		config->settings[config->count++] = (struct spk_lock_setting){.name = name,
									      .value = value};
}

void lock_store_configure(const struct settings *settings, const char *run_file,
			  struct lock_store_config *ret)
{
	const char *name = settings_text(settings, "locks.store");
	const char *directory = settings_text(settings, "instance_params.spicerack_config_dir");
	const bool etcd = strcmp(name, "etcd") == 0;

	*ret = (struct lock_store_config){.name = name};
	if (directory && !etcd)
		snprintf(ret->own_config, sizeof(ret->own_config), "%s/%s/config.cfg", directory,
			 name);
	tell(ret, "directory", settings_text(settings, "locks.directory"));
	tell(ret, "run_file", run_file);
	tell(ret, "config",
	     etcd ? settings_text(settings, "instance_params.etcd_config") : ret->own_config);
	tell(ret, "user_config", settings_text(settings, "locks.etcdrc"));
	tell(ret, "api", settings_text(settings, "locks.etcd_api"));
}

/* The first version's table ends there. */
#define TABLE_SIZE offsetof(struct spk_lock_driver, keeps_files)

bool lock_store_is_local(const struct settings *settings)
{
	const char *name = settings_text(settings, "locks.store");
	const struct spk_driver *driver;
	struct err err;

	/* Of ours it is known: they are opened by who calls them, while the run goes on. */
	if (strcmp(name, "sqlite") == 0)
		return true;
	if (strcmp(name, "etcd") == 0)
		return false;
	driver = driver_open("lock", name, TABLE_SIZE, &err);
	return driver && driver->size > TABLE_SIZE &&
	       ((const struct spk_lock_driver *)driver)->keeps_files;
}

int lock_store_open(const struct lock_store_config *config, struct lock_store *ret, struct err *err)
{
	struct spk_reason_buffer reason = {""};
	const struct spk_driver *driver = driver_open("lock", config->name, TABLE_SIZE, err);

	if (!driver)
		return -1;
	ret->driver = (const struct spk_lock_driver *)driver;
	ret->store = ret->driver->open(config->settings, config->count, &reason);
	if (ret->store)
		return 0;
	ret->driver = NULL;
	return err_set(err, "cannot open the store of locks '%s': %s", config->name, reason.text);
}

int lock_store_open_configured(const struct settings *settings, bool makes, struct lock_store *ret,
			       struct err *err)
{
	const char *directory = settings_text(settings, "locks.directory");
	const bool local = lock_store_is_local(settings);
	struct lock_store_config config;

	if (local && !directory)
		return err_set(err, "'locks.directory' is not set and you have no home directory");
	if (local && (makes ? run_file_directory : state_dir_check)(directory, err) < 0)
		return -1;
	lock_store_configure(settings, NULL, &config);
	return lock_store_open(&config, ret, err);
}

void lock_store_close(struct lock_store *store, int64_t deadline_ns)
{
	struct spk_lock_call call = {.deadline_ns = deadline_ns, .cancel_fd = -1};

	if (store->store)
		store->driver->close(store->store, &call);
	store->store = NULL;
}
