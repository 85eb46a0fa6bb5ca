/* SPDX-License-Identifier: Apache-2.0 */
#include "find.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/buf.h"
#include "../../runtime/mem.h"
#include "../../runtime/trust.h"
#include "group.h"
#include "treerules.h"

/* A name taken apart. */
struct parts {
	char *text;
	const char *items[TREE_DEPTH_MAX];
	size_t count;
	bool path; /* it was a path, and ended in .so */
};

static bool split(const char *name, bool path, struct parts *ret)
{
	size_t length = strlen(name);
	struct parts parts = {.path = path};
	char *save = NULL, *end;

	if (path && !tree_has_suffix(name, length))
		return false;
	parts.text = xstrndup(name, path ? length - 3 : length);
	for (char *part = parts.text; part; part = save) {
		end = strchr(part, path ? '/' : '.');
		save = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		/* The name of a cookbook in a module may start with `_`. */
		if (parts.count == TREE_DEPTH_MAX ||
		    !(end || path ? tree_is_component(part, strlen(part))
				  : tree_is_word(part, strlen(part)))) {
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

/* Opens one directory below another as a scan does. */
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
		tree_report(problems, &err);
		return LOOK_CLOSED;
	}
	*ret_fd = openat(directory, name,
			 O_RDONLY | O_DIRECTORY | O_CLOEXEC | (link ? 0 : O_NOFOLLOW));
	if (*ret_fd < 0 || fstat(*ret_fd, &st) < 0) {
		tree_complain(problems, path, strerrordesc_np(errno));
		return LOOK_CLOSED;
	}
	if (trust_check_stat(path, &st, &err) < 0) {
		tree_report(problems, &err);
		return LOOK_CLOSED;
	}
	return LOOK_FOUND;
}

/* Opens the directory of the first `count` parts below `base`; `path` gets its path. */
static enum look open_way(const char *base, const struct parts *parts, size_t count,
			  struct buf *path, FILE *problems, int *ret_fd)
{
	int fd = tree_open_base(base, problems);

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
	    peek_file_at(NULL, directory, name, link ? 0 : O_NOFOLLOW, path->text, PEEK_ALL, peek,
			 &err) < 0) {
		tree_report(problems, &err);
		return LOOK_BROKEN;
	}
	return LOOK_FOUND;
}

/* The module holds several cookbooks, and none of them was named: which there are. */
static void list_module(const struct parts *parts, size_t count, const struct peek *peek,
			const char *path, FILE *problems)
{
	struct buf text = {0};

	buf_puts(&text, "holds several cookbooks, name one of them:");
	for (size_t i = 0; i < peek->count; i++) {
		const char *part = tree_name_in_module(&peek->cookbooks[i], peek->count);

		if (!part || !*part)
			continue;
		buf_putc(&text, ' ');
		for (size_t k = 0; k < count; k++)
			buf_printf(&text, "%s.", parts->items[k]);
		buf_puts(&text, part);
	}
	tree_complain(problems, path, buf_text(&text));
	buf_free(&text);
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
		const char *part = tree_name_in_module(&peek.cookbooks[i], peek.count);

		if (!part || strcmp(part, wanted) != 0)
			continue;
		found->spec = &peek.cookbooks[i];
		found->file = xstrdup(path.text);
		look = LOOK_FOUND;
	}
	if (look == LOOK_ABSENT && !*wanted)
		list_module(parts, count, &peek, path.text, problems);
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
				tree_report(problems, &err);
			}
			close(fd);
		}
	}
	buf_free(&path);
	return owner ? owner : xstrdup(TREE_NO_OWNER);
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
									 : TREE_NO_TITLE);
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
