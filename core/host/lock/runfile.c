/* SPDX-License-Identifier: Apache-2.0 */
#include "runfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"

/* Without a source of chance: what no other process and no other call has. Nobody need be unable to
 * guess it. */
static void fill_uniquely(uint8_t *bytes)
{
	static uint32_t calls;
	uint32_t own[2] = {(uint32_t)getpid(), ++calls};
	struct timespec now;
	uint64_t ns;

	clock_gettime(CLOCK_REALTIME, &now);
	ns = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
	memcpy(bytes, &ns, sizeof(ns));
	memcpy(bytes + sizeof(ns), own, sizeof(own));
}

void uuid_make(char out[UUID_SIZE])
{
	uint8_t bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		fill_uniquely(bytes);
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (size_t i = 0, at = 0; i < sizeof(bytes); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		snprintf(out + at, 3, "%02x", bytes[i]);
		at += 2;
	}
}

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

int run_file_directory(const char *directory, struct err *err)
{
	char *runs = xasprintf("%s/runs", directory);
	int rc = make_path(runs, err);

	if (rc == 0)
		rc = check_owner(directory, err);
	if (rc == 0)
		rc = check_owner(runs, err);
	free(runs);
	return rc;
}

int run_file_check(const char *directory, struct err *err)
{
	return access(directory, F_OK) < 0 && errno == ENOENT ? 0 : check_owner(directory, err);
}

/* Locked before anybody can know its name. */
static int open_locked(const char *path, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	char shown[PRINTABLE_PATH_SIZE];

	if (fd < 0)
		return err_errno(err, "cannot make '%s'", printable_path(path, shown));
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		err_errno(err, "cannot lock '%s'", printable_path(path, shown));
		unlink(path);
		close(fd);
		return -1;
	}
	return fd;
}

/* The others of the group look whether it is locked, and touch it to wake its run. */
static void share(int fd, const char *directory)
{
	struct stat st;

	if (stat(directory, &st) == 0 && (st.st_mode & S_IWGRP) && fchmod(fd, 0660) < 0)
		return; /* they take the run for a living one, and find out that they need not wait
			 */
}

int run_file_make(const char *directory, struct run_file *ret, struct err *err)
{
	char id[UUID_SIZE];

	*ret = (struct run_file){.fd = -1};
	if (run_file_directory(directory, err) < 0)
		return -1;
	uuid_make(id);
	ret->path = xasprintf("%s/runs/%s", directory, id);
	ret->fd = open_locked(ret->path, err);
	if (ret->fd >= 0) {
		share(ret->fd, directory);
		if (fd_move_up(&ret->fd, err) == 0)
			return 0;
		unlink(ret->path);
	}
	free(ret->path);
	ret->path = NULL;
	return -1;
}

void run_file_end(struct run_file *file)
{
	if (file->fd >= 0)
		unlink(file->path);
	fd_close(&file->fd);
	free(file->path);
	file->path = NULL;
}
