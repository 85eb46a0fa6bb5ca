/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process has for other hosts: their configuration, the backends that find them, and the
 * transport, whose connections stay open until the process ends. A fresh process after a crash
 * makes all of it anew.
 */
#ifndef SPICERACK_MODULES_REMOTELINK_H
#define SPICERACK_MODULES_REMOTELINK_H

#include <spicerack/plugin.h>

#include "../runtime/inventory.h"
#include "../runtime/session.h"

struct remote_link {
	const struct spk_transport_driver *driver;
	void *transport;
	size_t fanout;    /* hosts at work at a time, at most */
	bool names_users; /* a command may name who logs in */
};

/* Raises `remote.settings`. */
const struct remote_config *remote_link_config(struct spk *spk);
struct inventory *remote_link_inventory(struct spk *spk);

/* Opens the transport when first asked. Raises `remote.settings`, `remote.transport`. */
const struct remote_link *remote_link_open(struct spk *spk,
					   const struct spk_transport_calls *calls);

/*
 * Tells the journal that commands are about to run on these hosts, unless it knows; there they are
 * when it returns.
 */
void remote_link_tell(struct spk *spk, const struct spk_hosts *hosts);

#endif
