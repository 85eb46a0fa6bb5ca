/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of cookbooks: base directories merged, groups with titles and owners. */
#ifndef SPICERACK_HOST_TREE_H
#define SPICERACK_HOST_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <spicerack/value.h>

#include "../runtime/err.h"
#include "peek.h"

/* One cookbook of the tree. Full name: "group2.subgroup1.some-task", "class_api.multiple.CookbookA". */
struct tree_cookbook {
	const char *name;
	const char *title; /* never NULL: the fall-back text where there is none */
	const char *owner; /* never NULL: own, inherited, or "unowned" */
	const char *file;  /* path of the .so */
	const char *symbol;
};

struct tree_group {
	const char *name;  /* full name; "" is the root */
	const char *title; /* never NULL: "-" */
	const char *owner; /* NULL: none of its own nor inherited */
};

struct tree {
	struct tree_cookbook *cookbooks; /* byte order of full names */
	size_t cookbook_count;
	struct tree_group *groups; /* byte order; only those with a cookbook below */
	size_t group_count;
	struct pool *pool;
};

/*
 * Reads the part of the tree below `prefix` ("" for all of it): a group, a module,
 * a cookbook, or any beginning of full names. `problems` gets one line for each file or
 * directory that is passed over. Fails only when no base directory can be read at all.
 */
MUST_CHECK int tree_read(spk_strings bases, const char *prefix, FILE *problems, struct tree *ret,
			 struct err *err);
void tree_free(struct tree *tree);

/* Prints the tree as `cookbook -l` does; with `titles`, as -lv does. */
void tree_print(const struct tree *tree, const char *prefix, bool titles, FILE *out);

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
 * broken is TREE_NONE with the reason among the problems.
 */
enum tree_find tree_find(spk_strings bases, const char *name, FILE *problems,
			 struct tree_found *ret);
void tree_found_free(struct tree_found *found);

#endif
