/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How locks are written with API 2: one JSON object per key, as the Python host reads and writes
 * it. docs/locks-wire.md.
 */
#ifndef SPICERACK_ETCD_WIRE2_H
#define SPICERACK_ETCD_WIRE2_H

#include "../base/json.h"
#include "entry.h"

/*
 * Parses the value of a key: the entries into *entries, in their order, and the whole into
 * *ret_value, the caller's. -1 and a reason that names the key for what is not understood to the
 * last member: it must not be written again.
 */
int wire2_read(const char *key, const char *text, struct entries *entries, cJSON **ret_value,
	       struct spk_reason_buffer *reason);

/* Whether the entry has run out by now (CLOCK_REALTIME). */
bool wire2_expired(const struct entry *entry, int64_t now);

/* Puts the entry into the value, in the place of one of the same id; freezes by their reason. */
void wire2_set(cJSON *value, const struct spk_lock_entry *entry, int64_t ttl_ns);

#endif
