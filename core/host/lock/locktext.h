/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator reads about locks, in the words of the Python host where it has any. */
#ifndef SPICERACK_HOST_LOCKTEXT_H
#define SPICERACK_HOST_LOCKTEXT_H

#include "../../runtime/buf.h"
#include "locklist.h"

/* `2026-11-22 15:39:13.069018`, in UTC; without the fraction where it is 0. */
void lock_text_time(int64_t realtime_ns, struct buf *out);

/* `{'concurrency': 1, 'created': '2026-...+00:00', 'owner': 'user@host [4860]', 'ttl': 300}` */
void lock_text_wanted(const struct spk_lock_entry *wanted, struct buf *out);

/*
 * Who is in the way of a newcomer: a line that says how many, then one per entry, indented; no
 * newline at the end. Texts of others are made printable.
 */
void lock_text_others(const struct lock_list *others, const struct spk_lock_entry *wanted,
		      struct buf *out);

/* `29 min`, `45 s`: how long one waits at most. */
void lock_text_span(int64_t ns, struct buf *out);

#endif
