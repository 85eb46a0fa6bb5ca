/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of hosts against a pattern: a text in which `*` stands for any characters, `?` for any one,
 * and HOSTBLOCK_MARK for a number of a set.
 */
#ifndef SPICERACK_CORE_HOSTGLOB_H
#define SPICERACK_CORE_HOSTGLOB_H

#include "hostset.h"

#define HOSTGLOB_CHARACTERS "*?"

/*
 * Whether all of the name matches; it takes time in proportion to both. `numbers` has a settled set
 * of one dimension for each mark.
 */
bool hostglob_matches(const char *pattern, const struct boxes *numbers, const char *name,
		      size_t length);

#endif
