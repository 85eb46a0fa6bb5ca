/* SPDX-License-Identifier: Apache-2.0 */
/* known_hosts files, read once however many hosts are looked up in them. */
#ifndef SPICERACK_LIBSSH_KNOWNHOSTS_H
#define SPICERACK_LIBSSH_KNOWNHOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include <spicerack/plugin.h>

/* All files that were asked for. */
struct knownhosts;
struct knownhosts_file;

enum known_marker {
	KNOWN_PLAIN,
	KNOWN_REVOKED,
	KNOWN_AUTHORITY, /* the key signs certificates of hosts */
};

struct known_line {
	enum known_marker marker;
	const char *file;
	unsigned number;
	const char *type; /* "ssh-ed25519" ... */
	const char *key;  /* in base64 */
};

struct knownhosts *knownhosts_new(void);
/* NULL is fine. */
void knownhosts_free(struct knownhosts *known);

/*
 * The file of that name; one that is not there has no lines. It lives as long as `known` does. NULL
 * and a reason: it cannot be trusted or read.
 */
const struct knownhosts_file *knownhosts_file(struct knownhosts *known, const char *path,
					      struct spk_reason_buffer *reason);

/* The same of a text, for tests. */
const struct knownhosts_file *knownhosts_text(struct knownhosts *known, const char *name,
					      const char *text, size_t length);

/*
 * Shows the lines for a host, in the file's order; `name` is lower case. The visitor returns false
 * to see no more.
 */
void knownhosts_look_up(const struct knownhosts_file *file, const char *name,
			bool (*visit)(void *data, const struct known_line *line), void *data);

#endif
