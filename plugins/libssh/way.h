/* SPDX-License-Identifier: Apache-2.0 */
/* How the bytes of a connection get to a host: by TCP, through a jump host, or by a command. */
#ifndef SPICERACK_LIBSSH_WAY_H
#define SPICERACK_LIBSSH_WAY_H

#include "host.h"

struct way;

/* A socket, non-blocking and the callee's; or -1 and why. */
typedef void way_done(void *data, int fd, const struct end *end);

/*
 * Begins; `done` is called once, from loop_run(), unless way_close() comes first. The way is to be
 * closed when the socket is.
 */
struct way *way_open(struct host *host, int64_t deadline_ns, way_done *done, void *data);
/* NULL is fine. */
void way_close(struct way *way);

/* What is known about why it ended, " (...)", written into `text`; "": nothing. Returns it. */
const char *way_explain(struct way *way, char *text, size_t size);

#endif
