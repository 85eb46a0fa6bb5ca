/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts on the way into a set, in any order, one more often than once. */
#ifndef SPICERACK_CORE_HOSTPARTS_H
#define SPICERACK_CORE_HOSTPARTS_H

#include "hostset.h"

/* Zero is none. */
struct hostparts {
	struct buf texts;
	struct hostparts_item *items;
	size_t count, capacity;
	struct range *ranges;
	size_t ranges_count, ranges_capacity;
	bool full; /* there were too many: it is incomplete */
};

/* Adds hosts of one text (hostblock.h), settled. */
void hostparts_add(struct hostparts *parts, const char *text, const struct boxes *boxes);
/* Adds the host of a plain name. -1 with the reason, which begins with the name, for what is none.
 */
MUST_CHECK int hostparts_add_name(struct hostparts *parts, const char *name, size_t length,
				  struct err *err);
/* Adds all of a set. */
void hostparts_add_set(struct hostparts *parts, const struct hostset *set);
/* Makes a set of them and frees them, also when it fails: there are too many. */
MUST_CHECK int hostparts_finish(struct hostparts *parts, struct hostset **ret, struct err *err);
void hostparts_free(struct hostparts *parts);

#endif
