/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of cookbooks: base directories merged, groups with titles and owners. */
#ifndef SPICERACK_HOST_TREE_H
#define SPICERACK_HOST_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <spicerack/value.h>

#include "../../runtime/err.h"

/* One cookbook of the tree. Full name: "group2.subgroup1.some-task",
 * "class_api.multiple.CookbookA". */
struct tree_cookbook {
	const char *name;
	const char *title; /* never NULL: the fall-back text where there is none */
	const char *owner; /* never NULL: own, inherited, or "unowned" */
	const char *file;  /* path of the .so */
	const char *symbol;
	const char *group; /* full name of the group that the file lies in */
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
 * Reads what has a full name that begins with `prefix` ("" for all of it): a group, a module, a
 * cookbook or half a word. Files that can hold no such name are not opened, directories not
 * entered. `problems` gets one line for each file or directory that is passed over. Fails only when
 * no base directory can be read at all.
 *
 * A cookbook is a `.so` whose name, like those of the directories above it, is of [A-Za-z0-9_-] and
 * does not start with `_`; links are followed. A file with one cookbook has the file's name
 * whatever the symbol; with several, each is `file.Name`, and an unnamed one among them is passed
 * over. Where a name is there twice, the first base wins, within a base the byte order of the
 * files' names; a broken file keeps its name to itself. A group of several bases has the first
 * title and the first owner given. A cookbook and a group may have the same name.
 */
MUST_CHECK int tree_read(spk_strings bases, const char *prefix, FILE *problems, struct tree *ret,
			 struct err *err);

/*
 * As much of that as tells what goes on behind `prefix` up to the next dot: of a group that begins
 * there no more files are opened than it takes to find a cookbook in it.
 */
MUST_CHECK int tree_read_level(spk_strings bases, const char *prefix, struct tree *ret,
			       struct err *err);
void tree_free(struct tree *tree);

/* The group of that full name, or NULL. */
const struct tree_group *tree_find_group(const struct tree *tree, const char *name);

/*
 * The cookbooks whose full name begins with that of the group and a dot, in the order of the tree;
 * with "", all. Among them are those of a module that has the group's name.
 */
const struct tree_cookbook *tree_below(const struct tree *tree, const char *group,
				       size_t *ret_count);

/* What lies directly in a group: a cookbook or another group. */
struct tree_child {
	const struct tree_cookbook *cookbook; /* NULL: a group */
	const struct tree_group *group;
	const char *name; /* full */
};

/* All children of a group in byte order, a cookbook before a group of its name. Free it. */
struct tree_child *tree_children(const struct tree *tree, const char *group, size_t *ret_count);

struct findings;
struct peek_reader;

/*
 * Reads one base with a reader that collects findings (peek.h), which get all that tree_read()
 * complains about, too. What is not trusted is read nevertheless: it will be installed elsewhere.
 * False when the base cannot be opened.
 */
MUST_CHECK bool tree_check(const char *base, struct findings *findings, struct peek_reader *reader,
			   struct tree *ret);

/*
 * Prints the tree as `cookbook -l` does; with `titles`, as -lv does: cookbooks whose full name
 * begins with `prefix`, and the groups on the way to them.
 */
void tree_print(const struct tree *tree, const char *prefix, bool titles, FILE *out);

#endif
