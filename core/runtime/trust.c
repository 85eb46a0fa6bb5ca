/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "mem.h"
#include "printable.h"

#define LINKS_MAX 40

static int owner_check(const char *path, const struct stat *st, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];

	if (st->st_uid == 0 || st->st_uid == geteuid())
		return 0;
	return err_set(err, "%s: not trusted, owned by uid %u, neither root nor you",
		       printable_path(path, shown), (unsigned)st->st_uid);
}

/* Whether nobody but root and the owner can be in the group that may write. */
static bool group_is_private(const struct stat *st)
{
	if (st->st_gid == 0)
		return true;
	return st->st_uid == geteuid() && st->st_gid == getegid() && st->st_gid == st->st_uid;
}

static int writers_check(const char *path, const struct stat *st, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];

	if (st->st_mode & S_IWOTH)
		return err_set(err, "%s: not trusted, others may write to it",
			       printable_path(path, shown));
	if ((st->st_mode & S_IWGRP) && !group_is_private(st))
		return err_set(err, "%s: not trusted, the group %u may write to it",
			       printable_path(path, shown), (unsigned)st->st_gid);
	return 0;
}

int trust_check_stat(const char *path, const struct stat *st, struct err *err)
{
	if (owner_check(path, st, err) < 0)
		return -1;
	if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) && st->st_uid == 0)
		return 0;
	return writers_check(path, st, err);
}

/*
 * Directories found good, by canonical path: open addressing, never more than half full. Drivers
 * are opened by other threads, too.
 */
static struct {
	pthread_mutex_t mutex;
	char **slots;
	size_t size, count;
	uid_t caller;
} known = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static char **known_slot(const char *path)
{
	uint32_t hash = 2166136261u;

	for (const char *c = path; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	for (size_t i = hash;; i++) {
		char **slot = &known.slots[i & (known.size - 1)];

		if (!*slot || strcmp(*slot, path) == 0)
			return slot;
	}
}

static bool known_has(const char *path)
{
	bool has;

	pthread_mutex_lock(&known.mutex);
	if (known.caller != geteuid()) { /* another caller trusts others */
		for (size_t i = 0; i < known.size; i++)
			free(known.slots[i]);
		free(known.slots);
		known.slots = NULL;
		known.size = known.count = 0;
		known.caller = geteuid();
	}
	has = known.size && *known_slot(path);
	pthread_mutex_unlock(&known.mutex);
	return has;
}

static void known_add(const char *path)
{
	size_t old_size;
	char **old;

	pthread_mutex_lock(&known.mutex);
	old = known.slots;
	old_size = known.size;
	if (known.count * 2 >= known.size) {
		known.size = old_size ? old_size * 2 : 64;
		known.slots = xcalloc(known.size, sizeof(*known.slots));
		for (size_t i = 0; i < old_size; i++)
			if (old[i])
				*known_slot(old[i]) = old[i];
		free(old);
	}
	/* Another thread may have found it good meanwhile. */
	if (!*known_slot(path)) {
		*known_slot(path) = xstrdup(path);
		known.count++;
	}
	pthread_mutex_unlock(&known.mutex);
}

static int directory_check(const char *path, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	struct stat st;

	if (known_has(path))
		return 0;
	if (lstat(path, &st) < 0)
		return err_errno(err, "%s: cannot examine", printable_path(path, shown));
	if (!S_ISDIR(st.st_mode))
		return err_set(err, "%s: not a directory", printable_path(path, shown));
	if (trust_check_stat(path, &st, err) < 0)
		return -1;
	known_add(path);
	return 0;
}

/* What the last component must be. */
enum judge {
	JUDGE_OBJECT,  /* there and trusted */
	JUDGE_PARENTS, /* nothing, only what leads to it matters */
	JUDGE_PLACE,   /* trusted, or absent where nobody else can make it */
};

/*
 * A path being resolved: `done` is a canonical directory whose whole chain was found good ("" is
 * the root), `todo` what is still to walk.
 */
struct walk {
	struct buf done, todo;
	unsigned links;
	enum judge judge;
};

static void walk_up(struct walk *walk)
{
	while (walk->done.length && walk->done.text[walk->done.length - 1] != '/')
		walk->done.length--;
	if (walk->done.length)
		walk->done.length--;
	if (walk->done.text)
		walk->done.text[walk->done.length] = '\0';
}

/* Puts the target of the link `path` in front of `rest`. */
static int walk_link(struct walk *walk, const char *path, const struct stat *st, const char *rest,
		     struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE], target[PATH_MAX];
	struct buf todo = {0};
	ssize_t length;

	if (owner_check(path, st, err) < 0)
		return -1;
	if (++walk->links > LINKS_MAX)
		return err_set(err, "%s: too many links", printable_path(path, shown));
	length = readlink(path, target, sizeof(target));
	if (length < 0)
		return err_errno(err, "%s: cannot examine", printable_path(path, shown));
	if ((size_t)length == sizeof(target))
		return err_set(err, "%s: the link is too long", printable_path(path, shown));
	buf_add(&todo, target, (size_t)length);
	if (*rest) {
		buf_putc(&todo, '/');
		buf_puts(&todo, rest);
	}
	buf_free(&walk->todo);
	walk->todo = todo;
	if (target[0] == '/')
		buf_clear(&walk->done);
	return 0;
}

/* Whether nobody else can make something in `done`: a sticky directory would let them. */
static int walk_end(const struct walk *walk, struct err *err)
{
	const char *path = walk->done.length ? walk->done.text : "/";
	char shown[PRINTABLE_PATH_SIZE];
	struct stat st;

	if (lstat(path, &st) < 0)
		return err_errno(err, "%s: cannot examine", printable_path(path, shown));
	return writers_check(path, &st, err);
}

/* Takes one component off `todo`. */
static int walk_step(struct walk *walk, struct err *err)
{
	char *text = walk->todo.text + strspn(walk->todo.text, "/");
	size_t length = strcspn(text, "/");
	const char *rest = text + length + strspn(text + length, "/");
	bool last = text[length] == '\0', judge_last = walk->judge != JUDGE_PARENTS;
	size_t before = walk->done.length;
	char shown[PRINTABLE_PATH_SIZE];
	struct stat st;

	if (length == 0 || (length == 1 && text[0] == '.'))
		goto next;
	if (length == 2 && text[0] == '.' && text[1] == '.') {
		walk_up(walk);
		goto next;
	}
	buf_putc(&walk->done, '/');
	buf_add(&walk->done, text, length);
	if (walk->done.length >= PATH_MAX)
		return err_set(err, "%s: the path is too long",
			       printable_path(walk->done.text, shown));
	if (known_has(walk->done.text))
		goto next;
	if (lstat(walk->done.text, &st) < 0) {
		if (last && !judge_last && errno == ENOENT)
			goto next;
		if (walk->judge == JUDGE_PLACE && errno == ENOENT) {
			walk_up(walk);
			buf_clear(&walk->todo);
			return 0;
		}
		return err_errno(err, "%s: cannot open", printable_path(walk->done.text, shown));
	}
	if (S_ISLNK(st.st_mode)) {
		char *path = xstrdup(walk->done.text);
		int rc;

		walk->done.length = before;
		walk->done.text[before] = '\0';
		rc = walk_link(walk, path, &st, rest, err);
		free(path);
		return rc;
	}
	if (S_ISDIR(st.st_mode)) {
		if (last && !judge_last)
			goto next;
		if (trust_check_stat(walk->done.text, &st, err) < 0)
			return -1;
		known_add(walk->done.text);
		goto next;
	}
	if (!last)
		return err_set(err, "%s: not a directory", printable_path(walk->done.text, shown));
	if (judge_last && trust_check_stat(walk->done.text, &st, err) < 0)
		return -1;
next:
	memmove(walk->todo.text, rest, strlen(rest) + 1);
	walk->todo.length = strlen(walk->todo.text);
	return 0;
}

static int walk_all(const char *path, enum judge judge, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE], here[PATH_MAX];
	struct walk walk = {.judge = judge};
	int rc;

	if (path[0] == '\0')
		return err_set(err, "an empty path cannot be opened");
	if (path[0] != '/') {
		if (!getcwd(here, sizeof(here)))
			return err_errno(err, "%s: cannot find the current directory",
					 printable_path(path, shown));
		buf_puts(&walk.todo, here);
		buf_putc(&walk.todo, '/');
	}
	buf_puts(&walk.todo, path);
	rc = directory_check("/", err);
	while (rc == 0 && walk.todo.length)
		rc = walk_step(&walk, err);
	if (rc == 0 && judge == JUDGE_PLACE)
		rc = walk_end(&walk, err);
	buf_free(&walk.done);
	buf_free(&walk.todo);
	return rc;
}

int trust_check_path(const char *path, struct err *err)
{
	return walk_all(path, JUDGE_OBJECT, err);
}

int trust_check_parents(const char *path, struct err *err)
{
	return walk_all(path, JUDGE_PARENTS, err);
}

int trust_check_place(const char *path, struct err *err)
{
	return walk_all(path, JUDGE_PLACE, err);
}
