/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terms of queries to a file of hosts:
 *
 *     G:group                 the hosts of a group
 *     F:fact                  those that have the fact
 *     F:fact OPERATOR value   those one of whose values of it is so: = < <= > >= as numbers where
 *                             both are, `=` as texts elsewhere; ~ matches a regular expression
 */
#ifndef SPICERACK_STATIC_TERM_H
#define SPICERACK_STATIC_TERM_H

#include "book.h"

/*
 * The entries that a term, or `*`, is about, by `entry`, which ends it by false. What does not
 * exist in the whole book, a group or a fact, is an error: somebody mistyped it.
 */
enum spk_inventory_status term_find(const struct book *book, const char *text, size_t length,
				    bool (*entry)(void *data, const struct book_entry *entry),
				    void *data, struct spk_reason_buffer *reason);

#endif
