/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a PuppetDB by libcurl: each ends with the call, and answers have a limit. */
#ifndef SPICERACK_PUPPETDB_SERVER_H
#define SPICERACK_PUPPETDB_SERVER_H

#include <stdbool.h>

#include "../base/text.h"

/* What the configuration says; texts are copied. */
struct server_settings {
	const char *scheme, *host;
	uint64_t port, version; /* of the API: 3 or 4 */
	uint64_t timeout;       /* of a request, in seconds */
	const char *verify;     /* "true", "false", or the path of certificates */
	const char *cert, *key; /* NULL: none */
};

struct server;

/* NULL and a reason. */
struct server *server_new(const struct server_settings *settings, struct spk_reason_buffer *reason);
void server_free(struct server *server);

/*
 * Sends a query, the text of an AST, to an endpoint and appends the answer to `out`. -1 with a
 * reason that begins with the URL: there is no answer, or one that says that something is wrong.
 */
int server_query(struct server *server, const char *endpoint, const char *ast, struct text *out,
		 struct spk_inventory_call *call);

#endif
