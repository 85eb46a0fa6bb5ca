/* SPDX-License-Identifier: Apache-2.0 */
/* Which drivers the calls of a cookbook open: for packages, which depend on them. */
#ifndef SPICERACK_HOST_DRIVERNEED_H
#define SPICERACK_HOST_DRIVERNEED_H

#include <stdbool.h>

enum driver_need {
	NEED_HTTP,
	NEED_TRANSPORT,
	DRIVER_NEEDS,
};

/* The kinds that were found to be needed. */
struct driver_needs {
	bool needed[DRIVER_NEEDS];
};

/* Takes in what the function of the SDK opens; nothing for most, and for those of others. */
void driver_needs_add(struct driver_needs *needs, const char *function);

/* The kind of driver, as in `KIND-NAME.so`. */
const char *driver_need_kind(enum driver_need need);

#endif
