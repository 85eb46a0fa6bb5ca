/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "../../runtime/trust.h"
#include "pool.h"
#include "scan.h"
#include "treerules.h"

static int by_entry(const void *a, const void *b)
{
	const struct scan_entry *left = a, *right = b;
	int order = strcmp(left->cookbook.name, right->cookbook.name);

	return order ? order : (left->order > right->order) - (left->order < right->order);
}

static int by_group(const void *a, const void *b)
{
	const struct scan_group *left = a, *right = b;
	int order = strcmp(left->group.name, right->group.name);

	return order ? order : (left->order > right->order) - (left->order < right->order);
}

/* Leaves the first of each name. */
static void merge_entries(struct scan *scan)
{
	const struct scan_entry *first = NULL;
	bool sorted = true;
	size_t kept = 0;

	for (size_t i = 1; sorted && i < scan->entry_count; i++)
		sorted = by_entry(&scan->entries[i - 1], &scan->entries[i]) <= 0;
	if (!sorted) /* they come nearly in order: only `-` sorts before the `.` */
		qsort(scan->entries, scan->entry_count, sizeof(*scan->entries), by_entry);
	for (size_t i = 0; i < scan->entry_count; i++) {
		struct scan_entry entry = scan->entries[i];
		char there[PRINTABLE_PATH_SIZE], *text;

		if (first && strcmp(first->cookbook.name, entry.cookbook.name) == 0) {
			text = xasprintf("passed over, %s is in %s, too, which %s",
					 entry.cookbook.name,
					 printable_path(first->cookbook.file, there),
					 first->cookbook.symbol ? "comes first" : "is broken");
			scan_complain(scan, FINDING_DUPLICATE_NAME, entry.cookbook.file, text);
			free(text);
			continue;
		}
		scan->entries[kept] = entry;
		first = &scan->entries[kept++];
	}
	scan->entry_count = kept;
	kept = 0;
	for (size_t i = 0; i < scan->entry_count; i++)
		if (scan->entries[i].cookbook.symbol)
			scan->entries[kept++] = scan->entries[i];
	scan->entry_count = kept;
}

/* One attribute of a group that is in two bases. */
static void merge_attribute(struct scan *scan, const char *what, struct scan_group *first,
			    const char **ours, const struct scan_group *second, const char *theirs)
{
	char there[PRINTABLE_PATH_SIZE], *text;

	if (!theirs)
		return;
	if (*ours && strcmp(*ours, theirs) != 0) {
		text = xasprintf("ignoring its %s, %s gives another", what,
				 printable_path(first->file, there));
		scan_complain(scan, FINDING_BAD_GROUP, second->file, text);
		free(text);
	} else if (!*ours) {
		*ours = theirs;
		first->file = second->file;
	}
}

static struct scan_group *find_group(struct scan *scan, const char *name, size_t length)
{
	size_t low = 0, high = scan->group_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *other = scan->groups[middle].group.name;
		int order = strncmp(other, name, length);

		if (order == 0 && other[length])
			order = 1;
		if (order == 0)
			return &scan->groups[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The group around a group; NULL for the root's. */
static struct scan_group *find_parent(struct scan *scan, const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!*name)
		return NULL;
	return find_group(scan, name, dot ? (size_t)(dot - name) : 0);
}

/* One entry for each name, owners inherited; those above a cookbook are marked. */
static void merge_groups(struct scan *scan)
{
	struct scan_group *group = NULL;
	size_t kept = 0;

	if (scan->group_count > 1)
		qsort(scan->groups, scan->group_count, sizeof(*scan->groups), by_group);
	for (size_t i = 0; i < scan->group_count; i++) {
		struct scan_group *entry = &scan->groups[i], *first;

		first = kept ? &scan->groups[kept - 1] : NULL;
		if (!first || strcmp(first->group.name, entry->group.name) != 0) {
			scan->groups[kept++] = *entry;
			continue;
		}
		merge_attribute(scan, "title", first, &first->group.title, entry,
				entry->group.title);
		merge_attribute(scan, "owner", first, &first->group.owner, entry,
				entry->group.owner);
	}
	scan->group_count = kept;
	for (size_t i = 0; i < kept; i++) {
		struct tree_group *one = &scan->groups[i].group;
		const struct scan_group *parent = find_parent(scan, one->name);

		if (!one->title)
			one->title = "-";
		if (!one->owner && parent)
			one->owner = parent->group.owner;
	}
	for (size_t i = 0; i < scan->entry_count; i++) {
		struct tree_cookbook *cookbook = &scan->entries[i].cookbook;
		struct scan_group *around;

		if (i == 0 || scan->entries[i - 1].cookbook.group != cookbook->group)
			group = find_group(scan, cookbook->group, strlen(cookbook->group));
		if (!cookbook->owner)
			cookbook->owner = group && group->group.owner ? group->group.owner
								      : TREE_NO_OWNER;
		for (around = group; around && !around->used;
		     around = find_parent(scan, around->group.name))
			around->used = true;
	}
}

static void hand_over(struct scan *scan, struct tree *ret)
{
	*ret = (struct tree){.pool = scan->pool};
	ret->cookbooks = pool_alloc(scan->pool, scan->entry_count, sizeof(*ret->cookbooks));
	for (size_t i = 0; i < scan->entry_count; i++)
		ret->cookbooks[ret->cookbook_count++] = scan->entries[i].cookbook;
	ret->groups = pool_alloc(scan->pool, scan->group_count, sizeof(*ret->groups));
	for (size_t i = 0; i < scan->group_count; i++)
		if (scan->groups[i].used)
			ret->groups[ret->group_count++] = scan->groups[i].group;
}

/* Whether the directory is one of the `count` in `seen`; if not it is put behind them. */
static bool seen_before(struct stat *seen, size_t count, int fd)
{
	if (fstat(fd, &seen[count]) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (seen[i].st_dev == seen[count].st_dev && seen[i].st_ino == seen[count].st_ino)
			return true;
	return false;
}

/* Opens a base that need not be trusted where it is: it is to be installed elsewhere. */
static int open_checked(struct scan *scan, const char *base)
{
	int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err err;

	if (fd < 0)
		scan_complain(scan, FINDING_BAD_DIRECTORY, base, strerrordesc_np(errno));
	else if (trust_check_path(base, &err) < 0)
		scan_report(scan, FINDING_UNTRUSTED_PLACE, base, &err);
	return fd;
}

/* Reads the bases into the tree; false: none could be. */
static bool read_bases(struct scan *scan, spk_strings bases, struct tree *ret)
{
	struct stat *seen = xcalloc(bases.count, sizeof(*seen));
	size_t readable = 0;

	for (size_t i = 0; i < bases.count; i++) {
		int fd = scan->findings ? open_checked(scan, bases.items[i])
					: tree_open_base(bases.items[i], scan->problems);

		if (fd < 0)
			continue;
		if (seen_before(seen, readable, fd)) {
			close(fd);
			continue;
		}
		readable++;
		scan_base(scan, fd, bases.items[i]);
	}
	if (readable) {
		merge_entries(scan);
		merge_groups(scan);
		hand_over(scan, ret);
	} else {
		pool_free(scan->pool);
	}
	free(seen);
	free(scan->entries);
	free(scan->groups);
	buf_free(&scan->path);
	buf_free(&scan->name);
	return readable > 0;
}

static int read_tree(struct scan scan, spk_strings bases, struct tree *ret, struct err *err)
{
	bool readable;

	scan.pool = pool_new(65536);
	scan.reader = peek_reader_new();
	readable = read_bases(&scan, bases, ret);
	peek_reader_free(scan.reader);
	return readable ? 0 : err_set(err, "no directory of cookbooks can be read");
}

int tree_read(spk_strings bases, const char *prefix, FILE *problems, struct tree *ret,
	      struct err *err)
{
	return read_tree((struct scan){.problems = problems, .prefix = prefix}, bases, ret, err);
}

int tree_read_level(spk_strings bases, const char *prefix, struct tree *ret, struct err *err)
{
	return read_tree((struct scan){.prefix = prefix, .level = true}, bases, ret, err);
}

/* ---- looking at a tree ---- */

/* The first cookbook or group not before `name`; `item` gives the name of one. */
static size_t lower_bound(const struct tree *tree, size_t count, const char *name,
			  const char *(*item)(const struct tree *tree, size_t index))
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(item(tree, middle), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const char *cookbook_name(const struct tree *tree, size_t index)
{
	return tree->cookbooks[index].name;
}

static const char *group_name(const struct tree *tree, size_t index)
{
	return tree->groups[index].name;
}

const struct tree_group *tree_find_group(const struct tree *tree, const char *name)
{
	size_t at = lower_bound(tree, tree->group_count, name, group_name);

	return at < tree->group_count && strcmp(tree->groups[at].name, name) == 0
		       ? &tree->groups[at]
		       : NULL;
}

static bool is_below(const char *name, const char *group, size_t length)
{
	return length == 0 || (strncmp(name, group, length) == 0 && name[length] == '.');
}

/* Whether `name`, which is below the group whose name is `length` long, is so directly. */
static bool is_child(const char *name, size_t length)
{
	const char *rest = name + length + (length > 0);

	return *name && *rest && !strchr(rest, '.');
}

static int by_child(const void *a, const void *b)
{
	const struct tree_child *left = a, *right = b;
	int order = strcmp(left->name, right->name);

	return order ? order : !left->cookbook - !right->cookbook;
}

/* The first of `count` things that may be below the group. */
static size_t first_below(const struct tree *tree, size_t count, const char *group,
			  const char *(*item)(const struct tree *tree, size_t index))
{
	char *below = xasprintf("%s%s", group, *group ? "." : "");
	size_t at = lower_bound(tree, count, below, item);

	free(below);
	return at;
}

const struct tree_cookbook *tree_below(const struct tree *tree, const char *group,
				       size_t *ret_count)
{
	size_t length = strlen(group);
	size_t first = first_below(tree, tree->cookbook_count, group, cookbook_name), last = first;

	while (last < tree->cookbook_count && is_below(tree->cookbooks[last].name, group, length))
		last++;
	*ret_count = last - first;
	/* A tree of nothing has no array, and no place in it. */
	return *ret_count > 0 ? tree->cookbooks + first : NULL;
}

struct tree_child *tree_children(const struct tree *tree, const char *group, size_t *ret_count)
{
	size_t length = strlen(group), count = 0, capacity = 0, below;
	const struct tree_cookbook *cookbooks = tree_below(tree, group, &below);
	struct tree_child *children = NULL;
	bool sorted = true;

	for (size_t i = 0; i < below; i++) {
		if (strcmp(cookbooks[i].group, group) != 0)
			continue;
		children = xgrow(children, count, &capacity, sizeof(*children));
		children[count++] = (struct tree_child){.cookbook = &cookbooks[i],
							.name = cookbooks[i].name};
	}
	for (size_t at = first_below(tree, tree->group_count, group, group_name);
	     at < tree->group_count && is_below(tree->groups[at].name, group, length); at++) {
		if (!is_child(tree->groups[at].name, length))
			continue;
		children = xgrow(children, count, &capacity, sizeof(*children));
		children[count++] = (struct tree_child){.group = &tree->groups[at],
							.name = tree->groups[at].name};
	}
	for (size_t i = 1; sorted && i < count; i++)
		sorted = by_child(&children[i - 1], &children[i]) <= 0;
	if (!sorted)
		qsort(children, count, sizeof(*children), by_child);
	*ret_count = count;
	return children;
}

bool tree_check(const char *base, struct findings *findings, struct peek_reader *reader,
		struct tree *ret)
{
	struct scan scan = {
		.findings = findings, .prefix = "", .pool = pool_new(65536), .reader = reader};

	return read_bases(&scan, (spk_strings){.items = &base, .count = 1}, ret);
}

void tree_free(struct tree *tree)
{
	pool_free(tree->pool);
	*tree = (struct tree){0};
}
