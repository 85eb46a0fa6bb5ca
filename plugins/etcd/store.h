/* SPDX-License-Identifier: Apache-2.0 */
/* What both APIs are to the driver: the calls of struct spk_lock_driver. */
#ifndef SPICERACK_ETCD_STORE_H
#define SPICERACK_ETCD_STORE_H

#include "client.h"
#include "entry.h"

/* The head of a store of either API. */
struct store {
	const struct spk_lock_driver *calls; /* all but open() */
	struct client *client;
};

/* They take the client over. */
struct store *v3_new(struct client *client);
struct store *v2_new(struct client *client);

/* What of a lease of this length is not counted on: clocks run, and leaders change. */
static inline int64_t lease_margin(int64_t length_ns)
{
	return length_ns / 12;
}

/* The time of day. */
int64_t store_realtime(void);

#endif
