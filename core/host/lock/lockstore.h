/* SPDX-License-Identifier: Apache-2.0 */
/* The store of locks that the configuration names, opened through its driver. */
#ifndef SPICERACK_HOST_LOCKSTORE_H
#define SPICERACK_HOST_LOCKSTORE_H

#include <spicerack/plugin.h>

#include "../../runtime/err.h"
#include "../setting/settings.h"

/* What a driver is told. The texts belong to the settings, or to whoever set them; the structure
 * stays where it is. */
struct lock_store_config {
	const char *name; /* of the driver */
	struct spk_lock_setting settings[8];
	size_t count;
	char own_config[4096]; /* the file of a store that is not ours */
};

struct lock_store {
	const struct spk_lock_driver *driver;
	void *store;
};

/* `run_file` may be NULL. */
void lock_store_configure(const struct settings *settings, const char *run_file,
			  struct lock_store_config *ret);

/* Whether the store keeps its files in `locks.directory`. One that is not ours is opened for that;
 * when that fails, the answer is no, and the reason comes from lock_store_open(). */
bool lock_store_is_local(const struct settings *settings);

MUST_CHECK int lock_store_open(const struct lock_store_config *config, struct lock_store *ret,
			       struct err *err);
/*
 * The store of the configuration, for an operator who is no run. `makes`: its directory is made
 * where there is none.
 */
MUST_CHECK int lock_store_open_configured(const struct settings *settings, bool makes,
					  struct lock_store *ret, struct err *err);
/* Gives back what is held, until `deadline_ns` of CLOCK_BOOTTIME. */
void lock_store_close(struct lock_store *store, int64_t deadline_ns);

#endif
