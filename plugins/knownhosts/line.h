/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of known_hosts files, as far as they name hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
 */
#ifndef SPICERACK_KNOWNHOSTS_LINE_H
#define SPICERACK_KNOWNHOSTS_LINE_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_HASH_SIZE 20 /* of SHA-1 */

/* A name of which only this is known: HMAC-SHA1 of it with the salt as the key. */
struct line_hashed {
	unsigned char salt[LINE_HASH_SIZE], hash[LINE_HASH_SIZE];
};

/*
 * Tells each name of the line that is one of a host: no address, no pattern, none that is negated,
 * without its port; a hashed one by `hashed`. Lines of keys that are revoked, and what is no line
 * of that format, have none.
 */
void line_read(const char *line, size_t length, void (*name)(void *, const char *, size_t),
	       void (*hashed)(void *, const struct line_hashed *), void *data);

#endif
