/* SPDX-License-Identifier: Apache-2.0 */
/* The way to a host through another one: a channel of its connection, which all such ways share. */
#ifndef SPICERACK_LIBSSH_RELAY_H
#define SPICERACK_LIBSSH_RELAY_H

#include "way.h"

struct relay;

/* As way_open(), for a host that has a jump host. */
struct relay *relay_open(struct host *host, int64_t deadline_ns, way_done *done, void *data);
/* NULL is fine. */
void relay_close(struct relay *relay);

void relay_explain(const struct relay *relay, char *text, size_t size);

#endif
