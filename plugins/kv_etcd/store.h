/* SPDX-License-Identifier: Apache-2.0 */
/* What both APIs are to the driver. Statuses of reads are those of client_do(). */
#ifndef SPICERACK_KV_ETCD_STORE_H
#define SPICERACK_KV_ETCD_STORE_H

#include "../etcd/client.h"
#include "items.h"

/* An API: reads into `items`, writes. */
struct api {
	size_t most; /* changes of one write */
	/* MISSING: there is no such key. */
	enum spk_lock_status (*get)(struct client *client, const char *key, struct items *items,
				    struct spk_lock_call *call);
	enum spk_lock_status (*list)(struct client *client, const char *prefix, struct items *items,
				     struct spk_lock_call *call);
	/* BUSY: a key is not as the change says. *ret_open: after a failure, it may have been done.
	 */
	enum spk_lock_status (*write)(struct client *client, const struct spk_kv_change *changes,
				      size_t count, bool *ret_open, struct spk_lock_call *call);
};

extern const struct api api2, api3;

#endif
