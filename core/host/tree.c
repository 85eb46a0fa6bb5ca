/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../runtime/buf.h"
#include "../runtime/mem.h"
#include "../runtime/printable.h"
#include "../runtime/trust.h"
#include "group.h"
#include "pool.h"

#define DEPTH_MAX 32
#define DIRECTORIES_MAX 65536
#define PLAIN_SYMBOL "spk_cookbook"
#define NO_TITLE "UNKNOWN (unable to detect title)"

/* A cookbook as found; without a symbol it is a broken file, which keeps its name. */
struct entry {
	struct tree_cookbook cookbook;
	size_t order;
};

struct group_entry {
	struct tree_group group;
	const char *file; /* its GROUP_FILE */
	size_t order;
	bool used;
};

struct scan {
	FILE *problems;
	const char *prefix;
	struct pool *pool;
	struct buf path, name; /* of the directory being read */
	struct entry *entries;
	size_t entry_count, entry_capacity;
	struct group_entry *groups;
	size_t group_count, group_capacity;
	size_t directories;
};

/* The directories that lead to the one being read, so that links in a circle end. */
struct ancestor {
	const struct ancestor *above;
	dev_t device;
	ino_t inode;
	unsigned depth;
};

/* `problems` may be NULL here: the line was printed before. */
static void complain(FILE *problems, const char *path, const char *reason)
{
	char shown[PRINTABLE_PATH_SIZE];

	if (problems)
		fprintf(problems, "%s: %s\n", printable_path(path, shown), reason);
}

static void report(FILE *problems, const struct err *err)
{
	if (problems)
		fprintf(problems, "%s\n", err->text);
}

static bool is_word(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_' || c == '-'))
			return false;
	}
	return length > 0;
}

/* What a file (without its suffix) or a directory must be named for a cookbook to have the name. */
static bool is_component(const char *name, size_t length)
{
	return is_word(name, length) && name[0] != '_';
}

static bool has_suffix(const char *name, size_t length)
{
	return length > 3 && memcmp(name + length - 3, ".so", 3) == 0;
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

/*
 * The part of a full name behind the module's for one of `count` cookbooks: "" for the file's own
 * name, NULL for an unnamed one among others.
 */
static const char *name_in_module(const struct cookbook_spec *spec, size_t count)
{
	const char *name = spec->symbol + strlen(PLAIN_SYMBOL);

	if (count == 1)
		return "";
	return *name ? name + 1 : NULL;
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

static struct entry *add_entry(struct scan *scan, const char *name, const char *file)
{
	struct entry *entry;

	scan->entries = xgrow(scan->entries, scan->entry_count, &scan->entry_capacity,
			      sizeof(*scan->entries));
	entry = &scan->entries[scan->entry_count];
	*entry = (struct entry){.order = scan->entry_count++};
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
		const char *part = name_in_module(spec, peek->count);
		struct tree_cookbook *cookbook;

		if (!part) {
			complain(scan->problems, file,
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
						  : NO_TITLE;
			cookbook->owner = share_owner(scan, spec->owner);
			cookbook->symbol = strcmp(spec->symbol, PLAIN_SYMBOL) == 0
						   ? PLAIN_SYMBOL
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
		report(scan->problems, &err);
	} else if (peek_file_at(directory, name, link ? 0 : O_NOFOLLOW, scan->path.text,
				PEEK_TITLES, &peek, &err) < 0) {
		report(scan->problems, &err);
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

static void scan_group_file(struct scan *scan, int directory, struct group_entry *entry)
{
	size_t path = scan->path.length;
	struct group group;
	struct err err;

	buf_puts(&scan->path, "/" GROUP_FILE);
	if (group_read(directory, scan->path.text, &group, &err) < 0) {
		report(scan->problems, &err);
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
		report(scan->problems, &err);
		return;
	}
	fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (link ? 0 : O_NOFOLLOW));
	if (fd < 0)
		complain(scan->problems, scan->path.text, strerrordesc_np(errno));
	else
		scan_directory(scan, fd, above);
}

static void scan_item(struct scan *scan, int directory, const struct item *item,
		      const struct ancestor *above, const char *group)
{
	size_t path = scan->path.length, name = scan->name.length;
	size_t length = strlen(item->name);
	bool file = has_suffix(item->name, length);
	size_t stem = file ? length - 3 : length;
	unsigned char type = item->type;
	bool link = type == DT_LNK;
	struct stat st;

	if (!file && type != DT_DIR && type != DT_LNK && type != DT_UNKNOWN)
		return;
	descend(scan, item->name, stem);
	if (!leads_to(scan->name.text, scan->prefix))
		goto out;
	if (type == DT_UNKNOWN || link) {
		if (type == DT_UNKNOWN &&
		    fstatat(directory, item->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			link = S_ISLNK(st.st_mode);
		if (fstatat(directory, item->name, &st, 0) < 0) {
			if (file)
				complain(scan->problems, scan->path.text, strerrordesc_np(errno));
			goto out;
		}
		type = S_ISDIR(st.st_mode) ? DT_DIR : DT_REG;
	}
	if (type != DT_DIR && !file)
		goto out;
	if (!is_component(item->name, stem) || (type == DT_DIR && file)) {
		complain(scan->problems, scan->path.text,
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
		complain(scan->problems, scan->path.text, strerrordesc_np(errno));
		return false;
	}
	if (trust_check_stat(scan->path.text, &st, &err) < 0) {
		report(scan->problems, &err);
		return false;
	}
	*here = (struct ancestor){.above = above,
				  .device = st.st_dev,
				  .inode = st.st_ino,
				  .depth = above ? above->depth + 1 : 0};
	for (; above; above = above->above) {
		if (above->device == st.st_dev && above->inode == st.st_ino) {
			complain(scan->problems, scan->path.text,
				 "passed over, it leads back to a directory above it");
			return false;
		}
	}
	if (here->depth > DEPTH_MAX || ++scan->directories > DIRECTORIES_MAX) {
		complain(scan->problems, scan->path.text,
			 here->depth > DEPTH_MAX ? "passed over, too deep"
						 : "passed over, too many directories");
		return false;
	}
	return true;
}

/* Takes `fd`. */
static void scan_directory(struct scan *scan, int fd, const struct ancestor *above)
{
	struct group_entry entry = {.group.name = "", .order = scan->group_count};
	struct item *items = NULL;
	struct pool *names = NULL;
	struct ancestor here;
	DIR *directory = NULL;
	size_t count = 0;

	if (!enter(scan, fd, above, &here))
		goto out;
	directory = fdopendir(fd);
	if (!directory) {
		complain(scan->problems, scan->path.text, strerrordesc_np(errno));
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

/* Opens a base directory, judged with all that leads to it. -1 after one line about why not. */
static int open_base(const char *base, FILE *problems)
{
	struct err err;
	int fd;

	if (trust_check_path(base, &err) < 0) {
		report(problems, &err);
		return -1;
	}
	fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		complain(problems, base, strerrordesc_np(errno));
	return fd;
}

static int by_entry(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	int order = strcmp(left->cookbook.name, right->cookbook.name);

	return order ? order : (left->order > right->order) - (left->order < right->order);
}

static int by_group(const void *a, const void *b)
{
	const struct group_entry *left = a, *right = b;
	int order = strcmp(left->group.name, right->group.name);

	return order ? order : (left->order > right->order) - (left->order < right->order);
}

/* Leaves the first of each name. */
static void merge_entries(struct scan *scan)
{
	const struct entry *first = NULL;
	bool sorted = true;
	size_t kept = 0;

	for (size_t i = 1; sorted && i < scan->entry_count; i++)
		sorted = by_entry(&scan->entries[i - 1], &scan->entries[i]) <= 0;
	if (!sorted) /* they come nearly in order: only `-` sorts before the `.` */
		qsort(scan->entries, scan->entry_count, sizeof(*scan->entries), by_entry);
	for (size_t i = 0; i < scan->entry_count; i++) {
		struct entry entry = scan->entries[i];
		char here[PRINTABLE_PATH_SIZE], there[PRINTABLE_PATH_SIZE];

		if (first && strcmp(first->cookbook.name, entry.cookbook.name) == 0) {
			fprintf(scan->problems, "%s: passed over, %s is in %s, too, which %s\n",
				printable_path(entry.cookbook.file, here), entry.cookbook.name,
				printable_path(first->cookbook.file, there),
				first->cookbook.symbol ? "comes first" : "is broken");
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
static void merge_attribute(struct scan *scan, const char *what, struct group_entry *first,
			    const char **ours, const struct group_entry *second, const char *theirs)
{
	char here[PRINTABLE_PATH_SIZE], there[PRINTABLE_PATH_SIZE];

	if (!theirs)
		return;
	if (*ours && strcmp(*ours, theirs) != 0) {
		fprintf(scan->problems, "%s: ignoring its %s, %s gives another\n",
			printable_path(second->file, here), what,
			printable_path(first->file, there));
	} else if (!*ours) {
		*ours = theirs;
		first->file = second->file;
	}
}

static struct group_entry *find_group(struct scan *scan, const char *name, size_t length)
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
static struct group_entry *find_parent(struct scan *scan, const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!*name)
		return NULL;
	return find_group(scan, name, dot ? (size_t)(dot - name) : 0);
}

/* One entry for each name, owners inherited; those above a cookbook are marked. */
static void merge_groups(struct scan *scan)
{
	size_t kept = 0;

	if (scan->group_count > 1)
		qsort(scan->groups, scan->group_count, sizeof(*scan->groups), by_group);
	for (size_t i = 0; i < scan->group_count; i++) {
		struct group_entry *entry = &scan->groups[i], *first;

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
		struct tree_group *group = &scan->groups[i].group;
		const struct group_entry *parent = find_parent(scan, group->name);

		if (!group->title)
			group->title = "-";
		if (!group->owner && parent)
			group->owner = parent->group.owner;
	}
	for (size_t i = 0; i < scan->entry_count; i++) {
		struct tree_cookbook *cookbook = &scan->entries[i].cookbook;
		struct group_entry *group = find_group(scan, cookbook->group,
						       strlen(cookbook->group));

		if (!cookbook->owner)
			cookbook->owner = group && group->group.owner ? group->group.owner
								      : "unowned";
		for (; group && !group->used; group = find_parent(scan, group->group.name))
			group->used = true;
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

int tree_read(spk_strings bases, const char *prefix, FILE *problems, struct tree *ret,
	      struct err *err)
{
	struct scan scan = {.problems = problems, .prefix = prefix, .pool = pool_new(65536)};
	struct stat *seen = xcalloc(bases.count, sizeof(*seen));
	size_t readable = 0;

	for (size_t i = 0; i < bases.count; i++) {
		int fd = open_base(bases.items[i], problems);

		if (fd < 0)
			continue;
		if (seen_before(seen, readable, fd)) {
			close(fd);
			continue;
		}
		readable++;
		buf_clear(&scan.path);
		buf_clear(&scan.name);
		buf_puts(&scan.path, bases.items[i]);
		while (scan.path.length > 1 && scan.path.text[scan.path.length - 1] == '/')
			scan.path.text[--scan.path.length] = '\0';
		scan_directory(&scan, fd, NULL);
	}
	if (readable) {
		merge_entries(&scan);
		merge_groups(&scan);
		hand_over(&scan, ret);
	} else {
		pool_free(scan.pool);
	}
	free(seen);
	free(scan.entries);
	free(scan.groups);
	buf_free(&scan.path);
	buf_free(&scan.name);
	return readable ? 0 : err_set(err, "no directory of cookbooks can be read");
}

void tree_free(struct tree *tree)
{
	pool_free(tree->pool);
	*tree = (struct tree){0};
}

/* A name taken apart. */
struct parts {
	char *text;
	const char *items[DEPTH_MAX];
	size_t count;
	bool path; /* it was a path, and ended in .so */
};

static bool split(const char *name, bool path, struct parts *ret)
{
	size_t length = strlen(name);
	struct parts parts = {.path = path};
	char *save = NULL, *end;

	if (path && !has_suffix(name, length))
		return false;
	parts.text = xstrndup(name, path ? length - 3 : length);
	for (char *part = parts.text; part; part = save) {
		end = strchr(part, path ? '/' : '.');
		save = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		/* The name of a cookbook in a module may start with `_`. */
		if (parts.count == DEPTH_MAX || !(end || path ? is_component(part, strlen(part))
							      : is_word(part, strlen(part)))) {
			free(parts.text);
			return false;
		}
		parts.items[parts.count++] = part;
	}
	*ret = parts;
	return true;
}

/* How looking for one thing ended. */
enum look {
	LOOK_FOUND,
	LOOK_ABSENT,
	LOOK_CLOSED, /* a directory on the way is not to be entered */
	LOOK_BROKEN, /* the file is there and bad */
};

/* Opens one directory below another as scan_child() does. */
static enum look open_child(int directory, const char *name, const char *path, FILE *problems,
			    int *ret_fd)
{
	struct stat st;
	struct err err;
	bool link;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return LOOK_ABSENT;
	link = S_ISLNK(st.st_mode);
	if (link && fstatat(directory, name, &st, 0) < 0)
		return LOOK_ABSENT;
	if (!S_ISDIR(st.st_mode))
		return LOOK_ABSENT;
	if (link && trust_check_path(path, &err) < 0) {
		report(problems, &err);
		return LOOK_CLOSED;
	}
	*ret_fd = openat(directory, name,
			 O_RDONLY | O_DIRECTORY | O_CLOEXEC | (link ? 0 : O_NOFOLLOW));
	if (*ret_fd < 0 || fstat(*ret_fd, &st) < 0) {
		complain(problems, path, strerrordesc_np(errno));
		return LOOK_CLOSED;
	}
	if (trust_check_stat(path, &st, &err) < 0) {
		report(problems, &err);
		return LOOK_CLOSED;
	}
	return LOOK_FOUND;
}

/* Opens the directory of the first `count` parts below `base`; `path` gets its path. */
static enum look open_way(const char *base, const struct parts *parts, size_t count,
			  struct buf *path, FILE *problems, int *ret_fd)
{
	int fd = open_base(base, problems);

	buf_clear(path);
	buf_puts(path, base);
	while (path->length > 1 && path->text[path->length - 1] == '/')
		path->text[--path->length] = '\0';
	if (fd < 0)
		return LOOK_CLOSED;
	for (size_t i = 0; i < count; i++) {
		int child = -1;
		enum look look;

		buf_putc(path, '/');
		buf_puts(path, parts->items[i]);
		look = open_child(fd, parts->items[i], path->text, problems, &child);
		close(fd);
		fd = child;
		if (look == LOOK_FOUND)
			continue;
		if (fd >= 0)
			close(fd);
		return look;
	}
	*ret_fd = fd;
	return LOOK_FOUND;
}

/* Reads the file of module `parts->items[count - 1]` in the open directory. */
static enum look read_module(int directory, const char *module, struct buf *path, FILE *problems,
			     struct peek *peek)
{
	char name[NAME_MAX + 1];
	struct stat st;
	struct err err;
	bool link;

	if (*module == '_' || (size_t)snprintf(name, sizeof(name), "%s.so", module) >= sizeof(name))
		return LOOK_ABSENT;
	buf_printf(path, "/%s", name);
	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return LOOK_ABSENT;
	link = S_ISLNK(st.st_mode);
	if ((link && trust_check_parents(path->text, &err) < 0) ||
	    peek_file_at(directory, name, link ? 0 : O_NOFOLLOW, path->text, PEEK_ALL, peek, &err) <
		    0) {
		report(problems, &err);
		return LOOK_BROKEN;
	}
	return LOOK_FOUND;
}

/*
 * Looks for the cookbook `wanted` of a module ("" for one that has its file's name), where the
 * module is named by the first `count` parts. `quiet`: of directories all was said before.
 */
static enum look look_in(const char *base, const struct parts *parts, size_t count,
			 const char *wanted, bool quiet, FILE *problems, struct tree_found *found)
{
	struct buf path = {0};
	struct peek peek;
	enum look look;
	int fd = -1;

	look = open_way(base, parts, count - 1, &path, quiet ? NULL : problems, &fd);
	if (look != LOOK_FOUND)
		goto out;
	look = read_module(fd, parts->items[count - 1], &path, problems, &peek);
	close(fd);
	if (look != LOOK_FOUND)
		goto out;
	look = LOOK_ABSENT;
	for (size_t i = 0; i < peek.count && look == LOOK_ABSENT; i++) {
		const char *part = name_in_module(&peek.cookbooks[i], peek.count);

		if (!part || strcmp(part, wanted) != 0)
			continue;
		found->spec = &peek.cookbooks[i];
		found->file = xstrdup(path.text);
		look = LOOK_FOUND;
	}
	if (look == LOOK_FOUND)
		found->peek = peek;
	else
		peek_free(&peek);
out:
	buf_free(&path);
	return look;
}

/* The owner that the nearest group around the first `count` parts has, in any base. */
static char *inherit_owner(spk_strings bases, const struct parts *parts, size_t count,
			   FILE *problems)
{
	struct buf path = {0};
	char *owner = NULL;

	for (size_t level = count + 1; level-- && !owner;) {
		for (size_t i = 0; i < bases.count && !owner; i++) {
			struct group group;
			struct err err;
			int fd;

			if (open_way(bases.items[i], parts, level, &path, NULL, &fd) != LOOK_FOUND)
				continue;
			buf_puts(&path, "/" GROUP_FILE);
			if (group_read(fd, path.text, &group, &err) == 0) {
				owner = group.owner;
				group.owner = NULL;
				group_free(&group);
			} else if (errno != ENOENT) {
				report(problems, &err);
			}
			close(fd);
		}
	}
	buf_free(&path);
	return owner ? owner : xstrdup("unowned");
}

/* Fills in what does not stand in the file. */
static void complete(spk_strings bases, const struct parts *parts, size_t module, FILE *problems,
		     struct tree_found *found)
{
	struct buf name = {0};

	for (size_t i = 0; i < parts->count; i++)
		buf_printf(&name, "%s%s", i ? "." : "", parts->items[i]);
	found->name = xstrdup(buf_text(&name));
	buf_free(&name);
	found->title = xstrdup(found->spec->title && *found->spec->title ? found->spec->title
									 : NO_TITLE);
	if (found->spec->owner && *found->spec->owner)
		found->owner = xstrdup(found->spec->owner);
	else
		found->owner = inherit_owner(bases, parts, module - 1, problems);
}

static enum tree_find find_parts(spk_strings bases, const struct parts *parts, FILE *problems,
				 struct tree_found *ret)
{
	struct tree_found found = {0};
	struct buf path = {0};
	bool group = false;
	int fd;

	for (size_t i = 0; i < bases.count; i++) {
		size_t module = parts->count;
		enum look look = look_in(bases.items[i], parts, module, "", false, problems,
					 &found);

		if (look != LOOK_FOUND && look != LOOK_BROKEN && !parts->path && parts->count > 1) {
			module--;
			look = look_in(bases.items[i], parts, module, parts->items[module], true,
				       problems, &found);
		}
		if (look == LOOK_FOUND) {
			complete(bases, parts, module, problems, &found);
			*ret = found;
			return TREE_FOUND;
		}
		if (look == LOOK_BROKEN)
			return TREE_NONE;
	}
	for (size_t i = 0; i < bases.count && !parts->path && !group; i++) {
		group = open_way(bases.items[i], parts, parts->count, &path, NULL, &fd) ==
			LOOK_FOUND;
		if (group)
			close(fd);
	}
	buf_free(&path);
	return group ? TREE_GROUP : TREE_NONE;
}

enum tree_find tree_find(spk_strings bases, const char *name, FILE *problems,
			 struct tree_found *ret)
{
	enum tree_find result = TREE_NONE;
	struct parts parts;

	if (!*name)
		return TREE_GROUP;
	if (split(name, true, &parts)) {
		result = find_parts(bases, &parts, problems, ret);
		free(parts.text);
	}
	if (result == TREE_NONE && split(name, false, &parts)) {
		result = find_parts(bases, &parts, problems, ret);
		free(parts.text);
	}
	return result;
}

void tree_found_free(struct tree_found *found)
{
	peek_free(&found->peek);
	free(found->name);
	free(found->owner);
	free(found->title);
	free(found->file);
	*found = (struct tree_found){0};
}
