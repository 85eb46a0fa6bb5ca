/* SPDX-License-Identifier: Apache-2.0 */
/* The name of one host: letters, digits, `-`, `_`, `.` and `:`, neither `-` nor `.` first. */
#ifndef SPICERACK_CORE_HOSTNAME_H
#define SPICERACK_CORE_HOSTNAME_H

#include "hostset.h"

/* A name as sets of hosts keep it (hostblock.h). */
struct hostname {
	char text[HOSTSET_NAME_MAX + 1]; /* with a mark for each number */
	size_t length;                   /* of `text` */
	uint64_t numbers[BOXES_DIMENSIONS];
	unsigned int dimensions;
};

/* Whether names may have it, and begin with it. */
bool hostname_may_have(char c);
bool hostname_may_begin(char c);

/* Takes a name apart. -1 with the reason, which begins with the name, for what is none. */
MUST_CHECK int hostname_read(const char *name, size_t length, struct hostname *ret,
			     struct err *err);

#define HOSTNAME_SHOWN_SIZE 80

/* A foreign text for a message, printable, its end cut off where it is long. Returns `out`. */
const char *hostname_shown(const char *text, size_t length, char out[static HOSTNAME_SHOWN_SIZE]);

#endif
