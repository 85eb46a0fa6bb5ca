/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of locks as `spicerack locks` prints them, for people and for programs. */
#ifndef SPICERACK_HOST_LOCKVIEW_H
#define SPICERACK_HOST_LOCKVIEW_H

#include "../../runtime/buf.h"
#include "locklist.h"

/* A line per key with how many hold it of how many that may, and a line per entry below it. */
void lock_view_text(const struct lock_list *list, int64_t now_ns, struct buf *out);

/* An array of keys, each with its entries; the members are described in spicerack(1). */
void lock_view_json(const struct lock_list *list, int64_t now_ns, struct buf *out);

#endif
