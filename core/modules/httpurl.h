/* SPDX-License-Identifier: Apache-2.0 */
/* URLs of http and https: what may be asked for, where it goes, and what is added to it. */
#ifndef SPICERACK_MODULES_HTTPURL_H
#define SPICERACK_MODULES_HTTPURL_H

#include <stdbool.h>
#include <stddef.h>

#include <spicerack/value.h>

#include "../runtime/buf.h"
#include "../runtime/err.h"

/* Where the parts of a URL are. */
struct http_url {
	bool secure; /* https */
	const char *host;
	size_t host_length; /* brackets of an address included */
	unsigned int port;
	size_t length; /* of all but a fragment */
	bool queried;  /* it has a `?` */
};

/* -1 with the reason, which shows the URL unless there may be a password in it. The parts are in
 * `text`. */
MUST_CHECK int http_url_read(const char *text, struct http_url *ret, struct err *err);

/* Whether both are of one origin: scheme, host and port. */
bool http_url_same_origin(const struct http_url *a, const struct http_url *b);

/* Appends `length` bytes, all but letters, digits and -._~ as %XX. */
void http_url_add_escaped(struct buf *out, const char *text, size_t length);

/* Appends NAME=VALUE pairs, escaped, with & between them. */
void http_url_add_pairs(struct buf *out, spk_strings pairs);

#endif
