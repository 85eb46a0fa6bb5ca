/* SPDX-License-Identifier: Apache-2.0 */
/* The interactive menu: cookbooks and groups to choose from, again and again. */
#ifndef SPICERACK_HOST_MENU_H
#define SPICERACK_HOST_MENU_H

#include <spicerack/value.h>

#include "../run/run.h"

/*
 * Shows the menu of a group, "" being the root, until the operator leaves it; `args` are those of
 * every cookbook that is run without any. All runs are logged to the files of `group`. The tree is
 * read anew each time that the menu is shown. Without a terminal it is printed once, whole.
 *
 * Returns the exit code: 0; EXIT_STARTUP when there is no menu; that of the run that was ended by a
 * signal which ended the menu as well.
 */
int menu_run(const struct run_options *options, const char *group, spk_strings args);

#endif
