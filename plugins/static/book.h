/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of hosts with what is known of them, in YAML:
 *
 *     hosts:
 *       db[1001-1003].dc1.example: {os: debian, cores: 32, disks: [sda, sdb]}
 *       web1.dc1.example:
 *     groups:
 *       db: db[1001-1003].dc1.example
 *       front: [web1.dc1.example, "cache[1-4].dc1.example"]
 *
 * Names are expressions for sets of hosts (hosts.h), which the host reads. A host has the facts of
 * all entries that it is in. Facts within facts are joined by dots: `os.name`.
 */
#ifndef SPICERACK_STATIC_BOOK_H
#define SPICERACK_STATIC_BOOK_H

#include "../base/text.h"

struct book_fact {
	char *name, *value;
};

/* An expression with its facts, or one of a group, which then has the group's name. */
struct book_entry {
	char *hosts;
	char *group; /* NULL: it is in no group */
	size_t line;
	struct book_fact *facts;
	size_t fact_count, fact_capacity;
};

struct book {
	struct book_entry *entries;
	size_t count, capacity;
	/* Groups, those without hosts, too. */
	char **groups;
	size_t group_count, group_capacity;
	size_t facts; /* of all entries */
};

/*
 * Reads the text of a file that is named `path` in the reason, `PATH:LINE: ...`. -1: then there is
 * nothing to free.
 */
int book_read(const char *path, const struct text *text, struct book *ret,
	      struct spk_reason_buffer *reason);
void book_free(struct book *book);

bool book_has_group(const struct book *book, const char *name);

#endif
