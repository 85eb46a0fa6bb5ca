/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of a driver: a group in libconfig's syntax as the texts that its open() is given. */
#ifndef SPICERACK_CORE_DRIVERSETTINGS_H
#define SPICERACK_CORE_DRIVERSETTINGS_H

#include <libconfig.h>

#include <spicerack/plugin.h>

#include "err.h"

/* Zero has no settings, and no place. */
struct driver_settings {
	struct spk_driver_setting *items;
	size_t count, capacity;
	unsigned int *lines; /* of each item */
	const char *file;    /* borrowed; NULL: they are in no file */
	unsigned int line;   /* of the group */
};

/*
 * Takes all members of a group but those that `but`, ended by NULL, names. A member is a text, a
 * number, true or false, or a list of such, which makes one setting for each of them. `file` must
 * stay. On failure, `FILE:LINE: ...`, there is nothing to free.
 */
MUST_CHECK int driver_settings_read(const char *file, const config_setting_t *group,
				    const char *const *but, struct driver_settings *ret,
				    struct err *err);
void driver_settings_free(struct driver_settings *settings);

/*
 * Says what a driver says of its settings, with the line of the one whose name in quotes begins the
 * reason, else that of the group. Returns -1.
 */
int driver_settings_refuse(const struct driver_settings *settings, const char *reason,
			   struct err *err);

#endif
