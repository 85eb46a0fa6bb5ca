/* SPDX-License-Identifier: Apache-2.0 */
/* What the driver is told, checked: nothing of it can be more than one word of a line of IRC. */
#ifndef SPICERACK_IRC_SETTINGS_H
#define SPICERACK_IRC_SETTINGS_H

#include "../net/credentials.h"
#include "tunnel.h"

#define NICK_SIZE 32
#define CHANNEL_SIZE 65

enum irc_password { PASSWORD_SERVER, PASSWORD_NICKSERV, PASSWORD_CHANNEL, PASSWORD_COUNT };

struct irc_settings {
	char host[256], port[8], ca_file[4096];
	bool tls;
	char nick[NICK_SIZE], channel[CHANNEL_SIZE], real_name[128];
	struct credential passwords[PASSWORD_COUNT]; /* "": none */
};

/* -1 and a reason. */
int irc_settings_read(const struct spk_driver_setting *given, size_t count,
		      struct irc_settings *settings, struct spk_reason_buffer *reason);

#endif
