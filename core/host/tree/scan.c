/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/mem.h"
#include "../../runtime/trust.h"
#include "group.h"
#include "pool.h"
#include "treerules.h"

#define DIRECTORIES_MAX 65536

/* The directories that lead to the one being read, so that links in a circle end. */
struct ancestor {
	const struct ancestor *above;
	dev_t device;
	ino_t inode;
	unsigned depth;
};

void scan_complain(struct scan *scan, enum finding_kind kind, const char *path, const char *text)
{
	if (scan->findings)
		findings_add_reason(scan->findings, kind, path, text);
	else
		tree_complain(scan->problems, path, text);
}

void scan_report(struct scan *scan, enum finding_kind kind, const char *path, const struct err *err)
{
	if (scan->findings)
		findings_add_reason(scan->findings, kind, path, err->text);
	else
		tree_report(scan->problems, err);
}

static bool begins(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Whether something below the group or module `name` may begin with `prefix`. */
static bool leads_to(const char *name, const char *prefix)
{
	size_t length = strlen(name);

	if (strncmp(name, prefix, length) != 0)
		return begins(name, prefix);
	return prefix[length] == '\0' || prefix[length] == '.';
}

/* Whether an entry is one of the tree: no broken file before it keeps the name to itself. */
static bool holds(const struct scan *scan, size_t index)
{
	const struct tree_cookbook *cookbook = &scan->entries[index].cookbook;

	for (size_t i = 0; cookbook->symbol && i < index; i++)
		if (!scan->entries[i].cookbook.symbol &&
		    strcmp(scan->entries[i].cookbook.name, cookbook->name) == 0)
			return false;
	return cookbook->symbol != NULL;
}

/* Whether only the level below the prefix is asked for, and where we are a group of it has a
 * cookbook already. */
static bool is_shown(const struct scan *scan)
{
	const char *name = scan->name.text, *dot;
	const size_t shown = strlen(scan->prefix);

	if (!scan->level || scan->name.length <= shown)
		return false;
	dot = strchr(name + shown, '.');
	for (size_t i = 0; dot && i < scan->entry_count; i++)
		if (strncmp(scan->entries[i].cookbook.name, name, (size_t)(dot + 1 - name)) == 0 &&
		    holds(scan, i))
			return true;
	return false;
}

/* Goes one component down: both texts get it, behind their separators. */
static void descend(struct scan *scan, const char *file, size_t stem)
{
	buf_putc(&scan->path, '/');
	buf_puts(&scan->path, file);
	if (scan->name.length)
		buf_putc(&scan->name, '.');
	buf_add(&scan->name, file, stem);
}

static void ascend(struct scan *scan, size_t path, size_t name)
{
	scan->path.text[scan->path.length = path] = '\0';
	if (scan->name.text)
		scan->name.text[scan->name.length = name] = '\0';
}

static struct scan_entry *add_entry(struct scan *scan, const char *name, const char *file)
{
	struct scan_entry *entry;

	scan->entries = xgrow(scan->entries, scan->entry_count, &scan->entry_capacity,
			      sizeof(*scan->entries));
	entry = &scan->entries[scan->entry_count];
	*entry = (struct scan_entry){.order = scan->entry_count++};
	entry->cookbook.name = pool_text(scan->pool, name, strlen(name));
	entry->cookbook.file = file;
	return entry;
}

/* The same text as that of the entry before, or a copy: neighbours tend to have one owner. */
static const char *share_owner(struct scan *scan, const char *owner)
{
	const char *before = scan->entry_count > 1
				     ? scan->entries[scan->entry_count - 2].cookbook.owner
				     : NULL;

	if (!owner || !*owner)
		return NULL;
	if (before && strcmp(before, owner) == 0)
		return before;
	return pool_text(scan->pool, owner, strlen(owner));
}

static void add_cookbooks(struct scan *scan, const struct peek *peek, const char *group)
{
	const char *file = pool_text(scan->pool, scan->path.text, scan->path.length);
	size_t module = scan->name.length;

	for (size_t i = 0; i < peek->count; i++) {
		const struct cookbook_spec *spec = &peek->cookbooks[i];
		const char *part = tree_name_in_module(spec, peek->count);
		struct tree_cookbook *cookbook;

		if (!part) {
			scan_complain(
				scan, FINDING_DUPLICATE_NAME, file,
				"its unnamed cookbook is passed over, for it has named ones, too");
			continue;
		}
		if (*part) {
			buf_putc(&scan->name, '.');
			buf_puts(&scan->name, part);
		}
		if (begins(scan->name.text, scan->prefix)) {
			cookbook = &add_entry(scan, scan->name.text, file)->cookbook;
			cookbook->group = group;
			cookbook->title = spec->title && *spec->title
						  ? pool_text(scan->pool, spec->title,
							      strlen(spec->title))
						  : TREE_NO_TITLE;
			cookbook->owner = share_owner(scan, spec->owner);
			cookbook->symbol = strcmp(spec->symbol, TREE_PLAIN_SYMBOL) == 0
						   ? TREE_PLAIN_SYMBOL
						   : pool_text(scan->pool, spec->symbol,
							       strlen(spec->symbol));
		}
		scan->name.text[scan->name.length = module] = '\0';
	}
}

static void scan_file(struct scan *scan, int directory, const char *name, bool link,
		      const char *group)
{
	struct peek peek;
	struct err err;

	if (link && trust_check_parents(scan->path.text, &err) < 0) {
		scan_report(scan, FINDING_UNTRUSTED, scan->path.text, &err);
	} else if (peek_file_at(scan->reader, directory, name, link ? 0 : O_NOFOLLOW,
				scan->path.text, PEEK_TITLES, &peek, &err) < 0) {
		if (!scan->findings) /* else the reader has said it */
			tree_report(scan->problems, &err);
	} else {
		add_cookbooks(scan, &peek, group);
		peek_free(&peek);
		return;
	}
	add_entry(scan, scan->name.text, pool_text(scan->pool, scan->path.text, scan->path.length));
}

/* One line in a directory. */
struct item {
	const char *name;
	unsigned char type;
};

static int by_item_name(const void *a, const void *b)
{
	const struct item *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static struct item *read_items(DIR *directory, struct pool *pool, size_t *ret_count)
{
	size_t count = 0, capacity = 0;
	struct item *items = NULL;
	struct dirent *line;

	while ((line = readdir(directory))) {
		if (line->d_name[0] == '.' || line->d_name[0] == '_')
			continue;
		items = xgrow(items, count, &capacity, sizeof(*items));
		items[count].name = pool_text(pool, line->d_name, strlen(line->d_name));
		items[count++].type = line->d_type;
	}
	if (count > 1)
		qsort(items, count, sizeof(*items), by_item_name);
	*ret_count = count;
	return items;
}

static void scan_group_file(struct scan *scan, int directory, struct scan_group *entry)
{
	size_t path = scan->path.length;
	struct group group;
	struct err err;

	buf_puts(&scan->path, "/" GROUP_FILE);
	if (group_read(directory, scan->path.text, &group, &err) < 0) {
		scan_report(scan, FINDING_BAD_GROUP, scan->path.text, &err);
	} else {
		entry->file = pool_text(scan->pool, scan->path.text, scan->path.length);
		if (group.title)
			entry->group.title = pool_text(scan->pool, group.title,
						       strlen(group.title));
		if (group.owner)
			entry->group.owner = pool_text(scan->pool, group.owner,
						       strlen(group.owner));
		group_free(&group);
	}
	ascend(scan, path, scan->name.length);
}

static void scan_directory(struct scan *scan, int fd, const struct ancestor *above);

/* Opens a directory that was reached by a link only if all that leads to its target is trusted. */
static void scan_child(struct scan *scan, int directory, const char *name, bool link,
		       const struct ancestor *above)
{
	struct err err;
	int fd;

	if (link && trust_check_path(scan->path.text, &err) < 0) {
		scan_report(scan, FINDING_UNTRUSTED, scan->path.text, &err);
		return;
	}
	fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (link ? 0 : O_NOFOLLOW));
	if (fd < 0)
		scan_complain(scan, FINDING_BAD_DIRECTORY, scan->path.text, strerrordesc_np(errno));
	else
		scan_directory(scan, fd, above);
}

static void scan_item(struct scan *scan, int directory, const struct item *item,
		      const struct ancestor *above, const char *group)
{
	size_t path = scan->path.length, name = scan->name.length;
	size_t length = strlen(item->name);
	bool file = tree_has_suffix(item->name, length);
	size_t stem = file ? length - 3 : length;
	unsigned char type = item->type;
	bool link = type == DT_LNK;
	struct stat st;

	if (!file && type != DT_DIR && type != DT_LNK && type != DT_UNKNOWN)
		return;
	descend(scan, item->name, stem);
	if (!leads_to(scan->name.text, scan->prefix) || is_shown(scan))
		goto out;
	if (type == DT_UNKNOWN || link) {
		if (type == DT_UNKNOWN &&
		    fstatat(directory, item->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			link = S_ISLNK(st.st_mode);
		if (fstatat(directory, item->name, &st, 0) < 0) {
			if (file)
				scan_complain(scan, FINDING_UNREADABLE_FILE, scan->path.text,
					      strerrordesc_np(errno));
			goto out;
		}
		type = S_ISDIR(st.st_mode) ? DT_DIR : DT_REG;
	}
	if (type != DT_DIR && !file)
		goto out;
	if (!tree_is_component(item->name, stem) || (type == DT_DIR && file)) {
		scan_complain(
			scan, FINDING_BAD_NAME, scan->path.text,
			"passed over, the name of a cookbook or group is of letters, digits, '_' "
			"and '-'");
		goto out;
	}
	if (type == DT_DIR)
		scan_child(scan, directory, item->name, link, above);
	else
		scan_file(scan, directory, item->name, link, group);
out:
	ascend(scan, path, name);
}

static bool enter(struct scan *scan, int fd, const struct ancestor *above, struct ancestor *here)
{
	struct stat st;
	struct err err;

	if (fstat(fd, &st) < 0) {
		scan_complain(scan, FINDING_BAD_DIRECTORY, scan->path.text, strerrordesc_np(errno));
		return false;
	}
	if (trust_check_stat(scan->path.text, &st, &err) < 0) {
		scan_report(scan, FINDING_UNTRUSTED, scan->path.text, &err);
		if (!scan->findings)
			return false;
	}
	*here = (struct ancestor){.above = above,
				  .device = st.st_dev,
				  .inode = st.st_ino,
				  .depth = above ? above->depth + 1 : 0};
	for (; above; above = above->above) {
		if (above->device == st.st_dev && above->inode == st.st_ino) {
			scan_complain(scan, FINDING_BAD_DIRECTORY, scan->path.text,
				      "passed over, it leads back to a directory above it");
			return false;
		}
	}
	if (here->depth > TREE_DEPTH_MAX || ++scan->directories > DIRECTORIES_MAX) {
		scan_complain(scan, FINDING_BAD_DIRECTORY, scan->path.text,
			      here->depth > TREE_DEPTH_MAX ? "passed over, too deep"
							   : "passed over, too many directories");
		return false;
	}
	return true;
}

/* Takes `fd`. */
static void scan_directory(struct scan *scan, int fd, const struct ancestor *above)
{
	struct scan_group entry = {.group.name = "", .order = scan->group_count};
	struct item *items = NULL;
	struct pool *names = NULL;
	struct ancestor here;
	DIR *directory = NULL;
	size_t count = 0;

	if (!enter(scan, fd, above, &here))
		goto out;
	directory = fdopendir(fd);
	if (!directory) {
		scan_complain(scan, FINDING_BAD_DIRECTORY, scan->path.text, strerrordesc_np(errno));
		goto out;
	}
	names = pool_new(0);
	items = read_items(directory, names, &count);
	entry.group.name = pool_text(scan->pool, buf_text(&scan->name), scan->name.length);
	for (size_t i = 0; i < count; i++)
		if (strcmp(items[i].name, GROUP_FILE) == 0)
			scan_group_file(scan, fd, &entry);
	scan->groups = xgrow(scan->groups, scan->group_count, &scan->group_capacity,
			     sizeof(*scan->groups));
	scan->groups[scan->group_count++] = entry;
	for (size_t i = 0; i < count; i++)
		scan_item(scan, fd, &items[i], &here, entry.group.name);
out:
	free(items);
	pool_free(names);
	if (directory)
		closedir(directory);
	else
		close(fd);
}

void scan_base(struct scan *scan, int fd, const char *path)
{
	buf_clear(&scan->path);
	buf_clear(&scan->name);
	buf_puts(&scan->path, path);
	while (scan->path.length > 1 && scan->path.text[scan->path.length - 1] == '/')
		scan->path.text[--scan->path.length] = '\0';
	scan_directory(scan, fd, NULL);
}
