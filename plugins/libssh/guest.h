/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who wants something of a host: waits until there is a connection to it, and lives on that from
 * then on. Part of what it is about: a command, or a way through the host to another one.
 */
#ifndef SPICERACK_LIBSSH_GUEST_H
#define SPICERACK_LIBSSH_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "end.h"

struct guest;
struct host;
struct connection;

struct guest_calls {
	/* There is a connection: `guest->connection`. */
	void (*admitted)(struct guest *guest);
	/* There will be none. It is with no host any more. */
	void (*turned_away)(struct guest *guest, const struct end *end);
	/* The connection has been heard of while `restless`. */
	void (*advance)(struct guest *guest);
	/* The connection is gone, and its channels with it. It is with no host any more. */
	void (*lost)(struct guest *guest, const struct end *end);
};

/* A list of them. */
struct guests {
	struct guest *first, *last;
	size_t count;
};

struct guest {
	const struct guest_calls *calls;
	struct host *host;             /* NULL: with none */
	struct connection *connection; /* NULL: it waits */
	struct guest *next, *before;   /* in the list of the one or the other */
	int64_t deadline_ns;           /* until when it waits */
	bool is_session;               /* it counts for the host's limit of sessions */
	bool restless;                 /* wants to be called when the connection is heard of */
};

void guests_add(struct guests *guests, struct guest *guest);
void guests_remove(struct guests *guests, struct guest *guest);

#endif
