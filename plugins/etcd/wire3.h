/* SPDX-License-Identifier: Apache-2.0 */
/* How locks are written with API 3: docs/locks-wire.md. */
#ifndef SPICERACK_ETCD_WIRE3_H
#define SPICERACK_ETCD_WIRE3_H

#include "../base/json.h"
#include "entry.h"

/* Not below LOCKS_BASE: what was there with API 2 may have been migrated to the same names. */
#define WIRE3_BASE "/spicerack/v3/locks/"

/* Appends the key of an entry; with `id` NULL, what the keys of all entries begin with. */
void wire3_add_key(struct text *text, const char *key, const char *id);

/* Appends the value of an entry. */
void wire3_add_value(struct text *text, const struct spk_lock_entry *entry, uint64_t in_until);

/*
 * Appends the entry of one `kv` of an answer. A value that cannot be read is an entry, too, with
 * `wrong` set. False, and nothing added, when it is not a key of ours at all.
 */
bool wire3_read(const cJSON *kv, struct entries *entries);

#endif
