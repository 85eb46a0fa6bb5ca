/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's own settings: group `libssh` of remote/config.cfg. */
#ifndef SPICERACK_LIBSSH_SETTINGS_H
#define SPICERACK_LIBSSH_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include <spicerack/plugin.h>

struct settings {
	char *config;          /* instead of the user's and the system's; NULL: those */
	char *unchecked_hosts; /* patterns of hosts whose keys are not checked; NULL: none */
};

/* -1 and a reason; free it all the same. */
int settings_read(const struct spk_driver_setting *given, size_t count, struct settings *settings,
		  struct spk_reason_buffer *reason);
void settings_free(struct settings *settings);

bool settings_is_unchecked(const struct settings *settings, const char *host);

#endif
