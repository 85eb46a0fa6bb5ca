/* SPDX-License-Identifier: Apache-2.0 */
/* The way to a host by a command of this machine (ProxyCommand). */
#ifndef SPICERACK_LIBSSH_PROXY_H
#define SPICERACK_LIBSSH_PROXY_H

#include "way.h"

struct proxy;

/* As way_open(). */
struct proxy *proxy_open(struct transport *transport, const char *command, way_done *done,
			 void *data);
/* Has it end; it is not waited for. NULL is fine. */
void proxy_close(struct proxy *proxy);

void proxy_explain(struct proxy *proxy, char *text, size_t size);

/* Ends and waits for all that were closed. */
void proxy_end_all(struct transport *transport);

#endif
