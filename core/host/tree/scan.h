/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in the directories of a tree, as it is found: tree_read() makes the tree of it. */
#ifndef SPICERACK_HOST_SCAN_H
#define SPICERACK_HOST_SCAN_H

#include "../../runtime/buf.h"
#include "../peek/peek.h"
#include "tree.h"

/* A cookbook as found; without a symbol it is a broken file, which keeps its name. */
struct scan_entry {
	struct tree_cookbook cookbook;
	size_t order;
};

/* A directory with its own attributes. */
struct scan_group {
	struct tree_group group;
	const char *file; /* its GROUP_FILE */
	size_t order;
	bool used;
};

struct scan {
	/* The caller's, as for tree_read(); names and titles go to `pool`. The rest begins as zero.
	 */
	FILE *problems;
	const char *prefix;
	bool level; /* as for tree_read_level() */
	struct pool *pool;
	struct peek_reader *reader;
	struct findings *findings; /* NULL, or gets what `problems` would; the reader its files */

	struct buf path, name; /* of the directory being read */
	struct scan_entry *entries;
	size_t entry_count, entry_capacity;
	struct scan_group *groups;
	size_t group_count, group_capacity;
	size_t directories;
};

/*
 * Reads the open base directory `fd`, which it takes, with all that is below it; `path` is its
 * path.
 */
void scan_base(struct scan *scan, int fd, const char *path);

/* Tells that something is passed over: what is wrong with `path`, or the whole line of a reason. */
void scan_complain(struct scan *scan, enum finding_kind kind, const char *path, const char *text);
void scan_report(struct scan *scan, enum finding_kind kind, const char *path,
		 const struct err *err);

#endif
