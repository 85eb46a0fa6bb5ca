/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "testing.h"
#include "trust.h"

/* What was opened, for the life of the process. */
struct opened {
	struct opened *next;
	const struct spk_driver *driver;
};

static struct opened *all;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *directory = SPICERACK_PLUGIN_DIR;

void driver_set_directory(const char *new_directory)
{
	directory = new_directory ? new_directory : SPICERACK_PLUGIN_DIR;
}

/* Kinds and names become part of a file name. */
static bool is_word(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return length > 0 && text[length] == '\0';
}

static int check_table(const struct spk_driver *driver, const char *kind, const char *name,
		       size_t needed_size, const char *file, struct err *err)
{
	if (driver->abi != SPK_DRIVER_ABI)
		return err_set(err,
			       "cannot use the driver '%s': its interface is version %u, not %u",
			       file, driver->abi, SPK_DRIVER_ABI);
	if (driver->size < sizeof(*driver) || driver->size < needed_size)
		return err_set(err,
			       "cannot use the driver '%s': it is older than this host: its "
			       "table has %u bytes, %zu are needed",
			       file, driver->size, needed_size);
	if (!driver->kind || !driver->name || strcmp(driver->kind, kind) != 0 ||
	    strcmp(driver->name, name) != 0)
		return err_set(err, "cannot use the driver '%s': it says that it is %s-%s", file,
			       driver->kind ? driver->kind : "?",
			       driver->name ? driver->name : "?");
	return 0;
}

static const struct spk_driver *find_opened(const char *kind, const char *name)
{
	for (struct opened *opened = all; opened; opened = opened->next) {
		if (strcmp(opened->driver->kind, kind) == 0 &&
		    strcmp(opened->driver->name, name) == 0)
			return opened->driver;
	}
	return NULL;
}

/* Those of a test. */
static const struct spk_driver *find_provided(const char *kind, const char *name)
{
	const struct spk_driver *const *driver = testing_now() ? testing_now()->drivers : NULL;

	for (; driver && *driver; driver++)
		if (strcmp((*driver)->kind, kind) == 0 && strcmp((*driver)->name, name) == 0)
			return *driver;
	return NULL;
}

static const struct spk_driver *open_file(const char *kind, const char *name, const char *file,
					  struct err *err)
{
	const struct spk_driver *driver;
	void *handle;

	if (access(file, F_OK) < 0) {
		err_errno(err, "the driver %s-%s is not installed: '%s'", kind, name, file);
		return NULL;
	}
	if (trust_check_path(file, err) < 0)
		return NULL;
	handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		err_set(err, "cannot open the driver '%s': %s", file, dlerror());
		return NULL;
	}
	driver = dlsym(handle, "spk_driver");
	if (!driver)
		err_set(err, "cannot use the driver '%s': it exports no spk_driver", file);
	return driver;
}

static void note_opened(const struct spk_driver *driver)
{
	struct opened *opened = xcalloc(1, sizeof(*opened));

	opened->driver = driver;
	opened->next = all;
	all = opened;
}

static const struct spk_driver *find_or_open(const char *kind, const char *name, size_t needed_size,
					     bool installed, struct err *err)
{
	const struct spk_driver *driver;
	char *file;

	if (!is_word(kind) || !is_word(name)) {
		err_set(err, "there is no driver '%s-%s': not such a name", kind, name);
		return NULL;
	}
	pthread_mutex_lock(&mutex);
	driver = installed ? NULL : find_opened(kind, name);
	file = xasprintf("%s/%s-%s.so", directory, kind, name);
	if (!driver && !installed)
		driver = find_provided(kind, name);
	if (!driver)
		driver = open_file(kind, name, file, err);
	if (driver && check_table(driver, kind, name, needed_size, file, err) < 0)
		driver = NULL;
	if (driver && !installed && !find_opened(kind, name))
		note_opened(driver);
	pthread_mutex_unlock(&mutex);
	free(file);
	return driver;
}

const struct spk_driver *driver_open(const char *kind, const char *name, size_t needed_size,
				     struct err *err)
{
	return find_or_open(kind, name, needed_size, false, err);
}

const struct spk_driver *driver_open_installed(const char *kind, const char *name,
					       size_t needed_size, struct err *err)
{
	return find_or_open(kind, name, needed_size, true, err);
}

void driver_hold(void)
{
	pthread_mutex_lock(&mutex);
}

void driver_release(void)
{
	pthread_mutex_unlock(&mutex);
}

bool driver_is_installed(const char *kind)
{
	const size_t length = strlen(kind);
	DIR *all_drivers = opendir(directory);
	const struct dirent *entry;
	bool found = false;

	while (all_drivers && !found && (entry = readdir(all_drivers))) {
		const char *rest = entry->d_name + length, *end;

		if (strncmp(entry->d_name, kind, length) != 0 || *rest != '-')
			continue;
		end = strrchr(rest, '.');
		found = end && end > rest + 1 && strcmp(end, ".so") == 0;
	}
	if (all_drivers)
		closedir(all_drivers);
	return found;
}
