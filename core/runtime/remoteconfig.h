/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `spicerack_config_dir`/remote/config.cfg: how hosts are found and reached. It is read for those
 * who find hosts (inventory.h) and those who run commands on them; its keys are a table.
 */
#ifndef SPICERACK_CORE_REMOTECONFIG_H
#define SPICERACK_CORE_REMOTECONFIG_H

#include "driversettings.h"

struct remote_config;

/*
 * Reads the file, which need not exist. `directory` is `spicerack_config_dir`. The reason is
 * `FILE:LINE: ...` or `FILE: ...`. *ret is the caller's, for remote_config_free().
 */
MUST_CHECK int remote_config_read(const char *directory, struct remote_config **ret,
				  struct err *err);
void remote_config_free(struct remote_config *config);

/* `spicerack_config_dir`/remote. */
const char *remote_config_directory(const struct remote_config *config);

/*
 * The value of a key of the table of that type, its default where it is not set; another key is a
 * programming error and aborts. All belong to `config`.
 */
const char *remote_config_text(const struct remote_config *config, const char *key);
long long remote_config_int(const struct remote_config *config, const char *key);
/* A list; NULL where it is not set. Its lines are of the file that remote_config_file() names. */
const config_setting_t *remote_config_list(const struct remote_config *config, const char *key);
/* The settings of a driver; none where the group is not set. */
const struct driver_settings *remote_config_settings(const struct remote_config *config,
						     const char *key);
const char *remote_config_file(const struct remote_config *config);

/* Sets `FILE:LINE: ` and the text, about a key that is set. Returns -1. */
int remote_config_refuse(const struct remote_config *config, const char *key, struct err *err,
			 const char *format, ...) __attribute__((__format__(__printf__, 4, 5)));

#endif
