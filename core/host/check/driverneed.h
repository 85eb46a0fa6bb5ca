/* SPDX-License-Identifier: Apache-2.0 */
/* Which drivers the calls of a cookbook open: for packages, which depend on them. */
#ifndef SPICERACK_HOST_DRIVERNEED_H
#define SPICERACK_HOST_DRIVERNEED_H

#include <stddef.h>

/* What an extender's library exports for each kind that it opens: SPK_NEEDS_DRIVER(). */
#define DRIVER_NEED_STEM "spk_needs_driver_"

/* The kind of driver, as in `KIND-NAME.so`, and who opens it: a function, a library. */
struct driver_need {
	const char *kind, *by;
};

/* Each kind once, in the order of their names. Texts belong to whoever added them. */
struct driver_needs {
	struct driver_need *items;
	size_t count, capacity;
};

/* Adds a kind, unless it is there. */
void driver_needs_add(struct driver_needs *needs, const char *kind, const char *by);

/*
 * The kind that the function of the SDK opens and not every host has; NULL for most functions, and
 * for those of others.
 */
const char *driver_need_of_call(const char *function);

/* The kind that a symbol says is opened; NULL: it says nothing. */
const char *driver_need_of_symbol(const char *symbol);

/* NULL inside is fine. */
void driver_needs_free(struct driver_needs *needs);

#endif
