/* SPDX-License-Identifier: Apache-2.0 */
/* One cookbook of the tree, found by its name for running. */
#ifndef SPICERACK_HOST_FIND_H
#define SPICERACK_HOST_FIND_H

#include <stdio.h>

#include <spicerack/value.h>

#include "../peek/peek.h"

/* A cookbook found for running: its file read in full. */
struct tree_found {
	char *name, *owner, *title, *file;
	const struct cookbook_spec *spec;
	struct peek peek;
};

enum tree_find {
	TREE_FOUND,
	TREE_GROUP, /* the name is a group (or empty): a menu */
	TREE_NONE,
};

/*
 * Looks for one cookbook by `group1.important-cookbook` or `group1/important-cookbook.so`,
 * reading only the directories on its way and its own file. A name whose file is
 * broken is TREE_NONE with the reason among the problems; so is, without one, a module of several
 * cookbooks. A name that is both a cookbook's and a group's is the cookbook's; with its `.so` it
 * can only be that. `ret` is set only with TREE_FOUND.
 */
enum tree_find tree_find(spk_strings bases, const char *name, FILE *problems,
			 struct tree_found *ret);
void tree_found_free(struct tree_found *found);

#endif
