/* SPDX-License-Identifier: Apache-2.0 */
/* What of ssh_config(5) was read: sshconfig.c makes it, sshselect.c goes through it. */
#ifndef SPICERACK_LIBSSH_SSHLINE_H
#define SPICERACK_LIBSSH_SSHLINE_H

#include "sshconfig.h"
#include "words.h"

/* So deep files include others. */
#define CONFIG_DEPTH_MAX 16

enum line_kind {
	LINE_PLAIN,
	LINE_BAD,   /* the first word says why */
	LINE_ENTER, /* what comes is included */
	LINE_LEAVE,
};

struct line {
	struct config_line public;
	enum line_kind kind;
	struct words words;
	char *rest;
};

struct sshconfig {
	const struct config_self *self;
	struct line *lines;
	size_t count, capacity;
	char **files; /* their names */
	size_t file_count, file_capacity;
};

#endif
