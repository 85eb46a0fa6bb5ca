/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

#define PATH_SHOWN 120

const char *file_shown(const char *path)
{
	size_t length = strlen(path);

	return length > PATH_SHOWN ? path + length - PATH_SHOWN : path;
}

static int refuse(const char *path, const char *wrong, struct spk_reason_buffer *reason)
{
	reason_set(reason, "%s: %s", file_shown(path), wrong);
	return -1;
}

static int refuse_errno(const char *path, const char *what, struct spk_reason_buffer *reason)
{
	int why = errno;

	reason_set(reason, "%s: cannot %s: %s", file_shown(path), what, strerrordesc_np(why));
	errno = why == ENOENT ? ENOENT : EINVAL;
	return -1;
}

/* The group that may write: root's, or a user's own of nobody else. */
static bool group_is_ours(const struct stat *st)
{
	return st->st_gid == 0 ||
	       (st->st_uid == geteuid() && st->st_gid == getegid() && st->st_gid == st->st_uid);
}

static int check(const char *path, const struct stat *st, struct spk_reason_buffer *reason)
{
	bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) && st->st_uid == 0;

	if (st->st_uid != 0 && st->st_uid != geteuid())
		return refuse(path, "not trusted, it is neither yours nor root's", reason);
	if ((st->st_mode & S_IWOTH) && !sticky)
		return refuse(path, "not trusted, others may write to it: chmod o-w", reason);
	if ((st->st_mode & S_IWGRP) && !sticky && !group_is_ours(st))
		return refuse(path, "not trusted, a group may write to it: chmod g-w", reason);
	return 0;
}

/* All directories of an absolute path, whatever links are on the way. */
static int check_directories(const char *path, struct spk_reason_buffer *reason)
{
	char *copy = memory_copy(path);
	struct stat st;
	int rc = 0;

	for (char *slash = copy; rc == 0 && slash; slash = strchr(slash + 1, '/')) {
		char kept = slash[1];

		slash[slash == copy] = '\0';
		rc = stat(copy, &st) < 0 ? refuse_errno(copy, "examine", reason)
					 : check(copy, &st, reason);
		slash[slash == copy] = slash == copy ? kept : '/';
	}
	memory_free(copy);
	return rc;
}

/* What leads to it, as it is written and as it is. */
static int check_parents(const char *path, struct spk_reason_buffer *reason)
{
	char *real = NULL;
	struct stat st;
	int rc = -1;

	if (*path != '/')
		return refuse(path, "not an absolute path", reason);
	if (lstat(path, &st) < 0)
		return refuse_errno(path, "examine", reason);
	if (S_ISLNK(st.st_mode) && st.st_uid != 0 && st.st_uid != geteuid())
		return refuse(path, "not trusted, the link is neither yours nor root's", reason);
	real = realpath(path, NULL);
	if (!real)
		return refuse_errno(path, "examine", reason);
	if (check_directories(path, reason) == 0)
		rc = check_directories(real, reason);
	free(real);
	if (rc < 0)
		errno = EINVAL;
	return rc;
}

static int check_opened(const char *path, int fd, struct spk_reason_buffer *reason)
{
	struct stat st;

	if (fd < 0)
		return refuse_errno(path, "open", reason);
	errno = EINVAL;
	if (fstat(fd, &st) < 0)
		return refuse_errno(path, "examine", reason);
	if (!S_ISREG(st.st_mode))
		return refuse(path, "not a regular file", reason);
	return check(path, &st, reason);
}

/* Neither waits (for the writer of a FIFO) nor takes a terminal. */
static int open_checked(const char *path, int flags, struct spk_reason_buffer *reason)
{
	int fd;

	errno = EINVAL;
	if (check_parents(path, reason) < 0)
		return -1;
	fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (check_opened(path, fd, reason) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int file_trust(const char *path, struct spk_reason_buffer *reason)
{
	int fd = open_checked(path, O_PATH, reason);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

int file_read(const char *path, size_t limit, struct text *out, struct spk_reason_buffer *reason)
{
	int fd = open_checked(path, O_RDONLY, reason);
	size_t before = out->length;
	char chunk[16384];
	ssize_t got;
	int rc = 0;

	if (fd < 0)
		return -1;
	text_add(out, "", 0);
	do {
		got = read(fd, chunk, sizeof(chunk));
		if (got > 0)
			text_add(out, chunk, (size_t)got);
	} while ((got < 0 && errno == EINTR) || (got > 0 && out->length - before <= limit));
	if (got < 0)
		rc = refuse_errno(path, "read", reason);
	else if (out->length - before > limit)
		rc = refuse(path, "longer than this driver reads", reason);
	else if (out->length > before && memchr(out->bytes + before, '\0', out->length - before))
		rc = refuse(path, "holds a NUL byte, so it is not a text file", reason);
	close(fd);
	errno = EINVAL;
	return rc;
}
