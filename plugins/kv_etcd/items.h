/* SPDX-License-Identifier: Apache-2.0 */
/* What was read, until all of it is there and can be shown. */
#ifndef SPICERACK_KV_ETCD_ITEMS_H
#define SPICERACK_KV_ETCD_ITEMS_H

#include "../base/text.h"

struct item {
	char *key, *value;
	size_t length;
	uint64_t revision;
};

/* Zero-initialised is empty. */
struct items {
	struct item *items;
	size_t count, capacity;
};

/*
 * Whether a key that a server names is one: below `prefix`, or that itself, and of parts. False
 * with the reason.
 */
bool item_key_ok(const char *key, const char *prefix, struct spk_reason_buffer *reason);

/* Takes the two texts over. */
void items_add(struct items *items, char *key, char *value, size_t length, uint64_t revision);
/* In the order of their keys; false when the visitor stopped. */
bool items_show(struct items *items, spk_kv_visitor *visitor, void *data);
void items_free(struct items *items);

#endif
