/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of names, looked up by threads: the C library cannot do it without waiting. */
#ifndef SPICERACK_LIBSSH_RESOLVER_H
#define SPICERACK_LIBSSH_RESOLVER_H

#include <netdb.h>

#include "loop.h"

struct resolver;
struct lookup;

/* `code` is of getaddrinfo(); with 0 the addresses are the callee's, for freeaddrinfo(). */
typedef void lookup_done(void *data, int code, struct addrinfo *addresses);

/* NULL: errno says why. */
struct resolver *resolver_new(struct loop *loop);
/* Waits for no thread: one that is in the C library ends when that returns. */
void resolver_free(struct resolver *resolver);

/*
 * Begins to look for the addresses of a name for TCP; `family` is AF_UNSPEC or one. `done` is
 * called once, from loop_run(), unless lookup_cancel() comes first.
 */
struct lookup *resolver_ask(struct resolver *resolver, const char *name, const char *port,
			    int family, lookup_done *done, void *data);
void lookup_cancel(struct lookup *lookup);

#endif
