/* SPDX-License-Identifier: Apache-2.0 */
/* Drivers (plugin.h): found in one directory, opened when first used, never closed. */
#ifndef SPICERACK_CORE_DRIVER_H
#define SPICERACK_CORE_DRIVER_H

#include <spicerack/plugin.h>

#include "err.h"

/*
 * The table of the driver KIND-NAME.so, of at least `needed_size` bytes; the same one at every
 * call. The file must be trusted (trust.h). NULL with the reason when there is none or when it
 * is not what its name says.
 */
const struct spk_driver *driver_open(const char *kind, const char *name, size_t needed_size,
				     struct err *err);

/* The same of the file that is installed, also in a test that has another driver of that name. */
const struct spk_driver *driver_open_installed(const char *kind, const char *name,
					       size_t needed_size, struct err *err);

/*
 * Around a fork() of a process with threads, in both processes behind it: none of them is opening a
 * driver meanwhile, so that the child can open some.
 */
void driver_hold(void);
void driver_release(void);

/* Whether there is a file for any driver of the kind. It is not opened: it may be of no use. */
bool driver_is_installed(const char *kind);

/*
 * Looks for drivers in `directory` instead of where they were installed; NULL is the installed
 * place again. For the configuration and the tests: no environment variable has this power.
 * The text must stay. Drivers that are open stay open.
 */
void driver_set_directory(const char *directory);

#endif
