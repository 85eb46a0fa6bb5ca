/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file in libconfig's syntax as a tree in memory of the run: plain data, which a
 * fresh process can read after a crash.
 */
#ifndef SPICERACK_MODULES_CONFIGTREE_H
#define SPICERACK_MODULES_CONFIGTREE_H

#include <stddef.h>

struct spk;

enum config_node_type {
	CONFIG_NODE_GROUP = 1,
	CONFIG_NODE_LIST = 2, /* libconfig's arrays, too */
	CONFIG_NODE_TEXT = 3,
	CONFIG_NODE_INT = 4,
	CONFIG_NODE_DOUBLE = 5,
	CONFIG_NODE_BOOL = 6,
	CONFIG_NODE_NOTHING = 7, /* null, in YAML: as if it were not there */
};

struct config_node {
	enum config_node_type type;
	int line;
	const char *name; /* "" in a list, and of the root */
	const char *text;
	long long integer; /* of a boolean, too */
	double real;
	size_t count;
	struct config_node *children;
};

/* The root, a group. Raises `config.file` naming the file, and the line where there is one. */
const struct config_node *config_tree_read(struct spk *spk, const char *file);

/* "a group", "a text" ... */
const char *config_node_type(const struct config_node *node);

#endif
