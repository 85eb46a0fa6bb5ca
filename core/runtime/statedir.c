/* SPDX-License-Identifier: Apache-2.0 */
#include "statedir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "printable.h"

/* Makes one directory with what its parent lets others do, but for the world. */
static int make_one(const char *path, mode_t mode, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];

	if (mkdir(path, 0700) < 0) {
		if (errno == EEXIST)
			return 0;
		return err_errno(err, "cannot make '%s'", printable_path(path, shown));
	}
	if (chmod(path, mode) < 0)
		return err_errno(err, "cannot set the mode of '%s'", printable_path(path, shown));
	return 0;
}

/* As mkdir -p. */
static int make_path(char *path, struct err *err)
{
	char *slash = strrchr(path, '/');
	mode_t mode = 0700;
	struct stat st;

	if (stat(path, &st) == 0 || !slash || slash == path)
		return 0;
	*slash = '\0';
	if (make_path(path, err) < 0)
		return -1;
	if (stat(path, &st) == 0 && (st.st_mode & S_IWGRP))
		mode = 0770 | (st.st_mode & S_ISGID);
	*slash = '/';
	return make_one(path, mode, err);
}

static int check_owner(const char *path, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	struct stat st;

	if (stat(path, &st) < 0)
		return err_errno(err, "cannot examine '%s'", printable_path(path, shown));
	if (!S_ISDIR(st.st_mode))
		return err_set(err, "'%s': not a directory", printable_path(path, shown));
	if (st.st_mode & S_IWOTH)
		return err_set(err, "'%s': not trusted, others may write to it",
			       printable_path(path, shown));
	if (st.st_uid != 0 && st.st_uid != geteuid() && !(st.st_mode & S_IWGRP))
		return err_set(err, "'%s': not trusted, owned by uid %u, neither root nor you",
			       printable_path(path, shown), (unsigned)st.st_uid);
	return 0;
}

int state_dir_make(const char *path, struct err *err)
{
	char *copy = xstrdup(path);
	int rc = make_path(copy, err);

	free(copy);
	return rc < 0 ? -1 : check_owner(path, err);
}

int state_dir_check(const char *path, struct err *err)
{
	return access(path, F_OK) < 0 && errno == ENOENT ? 0 : check_owner(path, err);
}
