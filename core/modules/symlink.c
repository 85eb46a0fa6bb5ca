/* SPDX-License-Identifier: Apache-2.0 */
/* Symbolic links, replaced in one step. */
#include <spicerack/file.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spicerack/error.h>
#include <spicerack/session.h>

#include "../runtime/err.h"
#include "../runtime/session.h"
#include "../runtime/copy.h"
#include "../runtime/misuse.h"

#define TRIES 16

/* The directory that a link is in, open, and the link's name in it. */
struct place {
	const char *path; /* the whole */
	const char *name;
	int fd;
	bool readable; /* can be synced */
};

const char *spk_link_read(struct spk *spk, const char *path)
{
	char target[PATH_MAX + 1];
	struct err err = {{0}};
	ssize_t length;

	CHECK_GIVEN(path);
	session_did_read(spk, "the link '%s'", path);
	length = readlink(path, target, sizeof(target));
	if (length >= 0 && (size_t)length < sizeof(target))
		return copy_bytes(spk, target, (size_t)length);
	if (length >= 0)
		errno = ENAMETOOLONG;
	else if (errno == ENOENT || errno == ENOTDIR)
		return NULL;
	if (errno == EINVAL)
		err_set(&err, "cannot read the link '%s': it is no symbolic link", path);
	else
		err_errno(&err, "cannot read the link '%s'", path);
	spk_raise(spk, "file", NULL, "%s", err.text);
}

/* A directory that may be searched but not read is fine, except that it cannot be synced. */
static int place_open(struct place *place, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
	char directory[PATH_MAX] = ".";

	place->path = path;
	place->name = slash ? slash + 1 : path;
	errno = EINVAL;
	if (!*place->name)
		return err_set(err, "cannot change the link '%s': it names no file", path);
	if (length >= sizeof(directory))
		return err_set(err, "cannot change the link '%s': its name is too long", path);
	if (length) {
		memcpy(directory, path, length);
		directory[length] = '\0';
	}
	place->fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place->readable = place->fd >= 0;
	if (place->fd < 0 && errno == EACCES)
		place->fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place->fd < 0)
		return err_errno(err, "cannot open the directory of '%s'", path);
	return 0;
}

/* 1: a link is there, 0: nothing, -1: anything else, or unknown. */
static int place_check(const struct place *place, const char *verb, struct err *err)
{
	struct stat st;

	if (fstatat(place->fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_errno(err, "cannot examine '%s'", place->path);
	if (!S_ISLNK(st.st_mode))
		return err_set(err, "cannot %s '%s': it is there and is no symbolic link", verb,
			       place->path);
	return 1;
}

/* Not every file system can sync a directory; the link is there all the same. */
static int place_sync(const struct place *place, struct err *err)
{
	if (place->readable && fsync(place->fd) < 0 && errno != EINVAL && errno != ENOTSUP &&
	    errno != EROFS)
		return err_errno(err, "cannot sync the directory of '%s'", place->path);
	return 0;
}

/* A link of a name that nobody uses. */
static int make_temporary(const struct place *place, const char *target, char *name, size_t size,
			  struct err *err)
{
	for (int i = 0; i < TRIES; i++) {
		uint64_t number = 0;

		if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
			number = (uint64_t)getpid() << 32 | (uint64_t)i;
		snprintf(name, size, ".spicerack-%016llx", (unsigned long long)number);
		if (symlinkat(target, place->fd, name) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return err_errno(err, "cannot make the link '%s' to '%s'", place->path, target);
}

/*
 * Somebody who puts a file at the name between the check and the rename loses it: the check
 * is against mistakes, not against others who may write to the directory.
 */
static int replace(const char *path, const char *target, struct err *err)
{
	struct place place = {.fd = -1};
	char temporary[40];
	int rc = -1;

	if (place_open(&place, path, err) < 0)
		return -1;
	if (place_check(&place, "replace", err) < 0)
		goto out;
	if (make_temporary(&place, target, temporary, sizeof(temporary), err) < 0)
		goto out;
	if (renameat(place.fd, temporary, place.fd, place.name) < 0) {
		err_errno(err, "cannot make the link '%s' to '%s'", path, target);
		unlinkat(place.fd, temporary, 0);
		goto out;
	}
	rc = place_sync(&place, err);
out:
	close(place.fd);
	return rc;
}

static int remove_link(const char *path, struct err *err)
{
	struct place place = {.fd = -1};
	int rc;

	if (place_open(&place, path, err) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	rc = place_check(&place, "remove", err);
	if (rc > 0) {
		rc = unlinkat(place.fd, place.name, 0);
		if (rc < 0 && errno == ENOENT)
			rc = 0;
		else if (rc < 0)
			err_errno(err, "cannot remove the link '%s'", path);
		else
			rc = place_sync(&place, err);
	}
	close(place.fd);
	return rc;
}

/* For a dry run, which tells what would be lost. */
static const char *old_target(struct spk *spk, const char *path)
{
	char target[PATH_MAX + 1];
	ssize_t length = spk->order.dry_run ? readlink(path, target, sizeof(target)) : -1;

	if (length < 0 || (size_t)length >= sizeof(target))
		return "";
	return spk_format(spk, ", which is one to '%.*s'", (int)length, target);
}

void spk_link_replace(struct spk *spk, const char *path, const char *target)
{
	struct err err = {{0}};

	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(path);
	CHECK_NOT_EMPTY(target);
	if (session_may_write(spk, "make '%s' a link to '%s'%s", path, target,
			      old_target(spk, path)) &&
	    replace(path, target, &err) < 0)
		spk_raise(spk, "file", NULL, "%s", err.text);
}

void spk_link_remove(struct spk *spk, const char *path)
{
	struct err err = {{0}};

	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(path);
	if (session_may_write(spk, "remove the link '%s'%s", path, old_target(spk, path)) &&
	    remove_link(path, &err) < 0)
		spk_raise(spk, "file", NULL, "%s", err.text);
}
