/* SPDX-License-Identifier: Apache-2.0 */
/* Connections by TCP: the addresses of a name one after the other, until one answers. */
#ifndef SPICERACK_LIBSSH_DIAL_H
#define SPICERACK_LIBSSH_DIAL_H

#include "end.h"
#include "resolver.h"

struct dial;

/* A connected socket, non-blocking and the callee's; or -1 and why. */
typedef void dial_done(void *data, int fd, const struct end *end);

struct dial_place {
	const char *host;
	int port;
	int family;         /* AF_UNSPEC or one */
	const char *source; /* an address of ours; NULL: any */
	bool keep_alive;
};

/*
 * Begins; each address gets its share of the time until the deadline. `done` is called once, from
 * loop_run(), unless dial_cancel() comes first.
 */
struct dial *dial_begin(struct loop *loop, struct resolver *resolver,
			const struct dial_place *place, int64_t deadline_ns, dial_done *done,
			void *data);
/* NULL is fine. */
void dial_cancel(struct dial *dial);

/* Has the kernel acknowledge at once what comes next: the other side may wait for that. */
void dial_hurry(int fd);

#endif
