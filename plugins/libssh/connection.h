/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a host: made, checked, let in, and then used by several at once. */
#ifndef SPICERACK_LIBSSH_CONNECTION_H
#define SPICERACK_LIBSSH_CONNECTION_H

#include <libssh/libssh.h>

#include "guest.h"
#include "host.h"

struct connection;

/* Before any: has this thread's libssh tell us what it logs, a part of it. */
void connection_hear_log(void);
/* Begins to connect. */
struct connection *connection_new(struct host *host, int64_t deadline_ns);
/* All who are on it are told that it is gone. */
void connection_evict(struct connection *connection, const struct end *end);
/* Closes it, with nobody on it. */
void connection_close(struct connection *connection);

struct connection *connection_next(const struct connection *connection);
bool connection_is_ready(const struct connection *connection);
bool connection_has_room(const struct connection *connection, const struct guest *guest);
/* How many it would take. */
size_t connection_limit(const struct connection *connection);
const char *connection_phase(const struct connection *connection);

void connection_admit(struct connection *connection, struct guest *guest);
/* Sessions on it. */
size_t connection_share(const struct connection *connection);
void connection_dismiss(struct connection *connection, struct guest *guest);
/* The host wants no more sessions on it than there are, the guest not counted. */
void connection_is_full(struct connection *connection);

ssh_session connection_session(const struct connection *connection);
/* Something was done with the session. */
void connection_touch(struct connection *connection);
/* The other side does what is against the rules. */
void connection_accuse(struct connection *connection, const char *of_what);

/*
 * Lets go of a channel: what still comes by it is thrown away. One that is being opened must be
 * waited for, or the host would keep it.
 */
void connection_drop_channel(struct connection *connection, ssh_channel channel);

/* Whether all that was written to the session is on its way, and more may be written. */
bool connection_is_flushed(const struct connection *connection);

#endif
