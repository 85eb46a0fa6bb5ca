/* SPDX-License-Identifier: Apache-2.0 */
/* A host, with all connections to it, and who waits for one. */
#ifndef SPICERACK_LIBSSH_HOST_H
#define SPICERACK_LIBSSH_HOST_H

#include "guest.h"
#include "target.h"
#include "transport.h"

struct host {
	struct host *chained; /* in the table of the transport */
	struct transport *transport;
	char *key;
	struct target *target;
	struct task task;
	struct guests waiting;
	struct connection *connections;
	size_t connection_count, connections_max;
	struct host *jump; /* that it is reached through, as far as that is known; NULL */
};

/* The host that is named so. NULL with the end. */
struct host *host_find(struct transport *transport, const struct target_name *name,
		       struct end *end);
/* That which leads to it. NULL with the end: there is none, or it would lead round in a circle. */
struct host *host_find_jump(struct host *host, struct end *end);
void host_free_all(struct transport *transport);

/* Its calls come from loop_run(). */
void host_enter(struct host *host, struct guest *guest);
/* It goes, wherever it is. Its channel is its own business. */
void host_leave(struct guest *guest);
/* The connection does not take it; it waits for another one. */
void host_send_back(struct guest *guest);

/* What those who wait are waiting for. */
const char *host_phase(const struct host *host);

/* ---- for connections ---- */

/* It can be used, or by one more. */
void host_has_room(struct host *host);
/* One is gone, and was of use before, or not. */
void host_lost(struct host *host, bool was_ready, const struct end *end);

#endif
