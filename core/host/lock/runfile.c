/* SPDX-License-Identifier: Apache-2.0 */
#include "runfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/chance.h"
#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "../../runtime/statedir.h"

/* How often a file is made anew that was swept away at its birth, which takes some chance. */
#define TRIES 100

void uuid_make(char out[UUID_SIZE])
{
	uint8_t bytes[16];

	chance_fill(bytes, sizeof(bytes));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (size_t i = 0, at = 0; i < sizeof(bytes); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		snprintf(out + at, 3, "%02x", bytes[i]);
		at += 2;
	}
}

int run_file_directory(const char *directory, struct err *err)
{
	char *runs = xasprintf("%s/runs", directory);
	int rc = state_dir_make(runs, err);

	if (rc == 0)
		rc = state_dir_check(directory, err);
	free(runs);
	return rc;
}

/*
 * Makes it, locked before anybody can know its name. A store that sweeps takes a file that nobody
 * has locked for a dead run's, which this one is until then: false in *ret_kept when it did.
 */
static int open_locked(const char *path, bool *ret_kept, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	char shown[PRINTABLE_PATH_SIZE];
	struct stat st;

	if (fd < 0)
		return err_errno(err, "cannot make '%s'", printable_path(path, shown));
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0 && fstat(fd, &st) == 0) {
		*ret_kept = st.st_nlink > 0;
		return fd;
	}
	*ret_kept = errno != EAGAIN;
	err_errno(err, "cannot lock '%s'", printable_path(path, shown));
	unlink(path);
	close(fd);
	return -1;
}

/* The others of the group look whether it is locked, and touch it to wake its run. */
static void share(int fd, const char *directory)
{
	struct stat st;

	if (stat(directory, &st) == 0 && (st.st_mode & S_IWGRP) && fchmod(fd, 0660) < 0)
		return; /* they take the run for a living one, and find out that they need not wait
			 */
}

static int make_new(const char *directory, struct run_file *ret, bool *ret_kept, struct err *err)
{
	char id[UUID_SIZE];

	uuid_make(id);
	*ret_kept = true;
	ret->path = xasprintf("%s/runs/%s", directory, id);
	ret->fd = open_locked(ret->path, ret_kept, err);
	if (ret->fd >= 0 && *ret_kept) {
		share(ret->fd, directory);
		if (fd_move_up(&ret->fd, err) == 0)
			return 0;
		unlink(ret->path);
	}
	fd_close(&ret->fd);
	free(ret->path);
	ret->path = NULL;
	return -1;
}

int run_file_make(const char *directory, struct run_file *ret, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	bool kept;
	int rc;

	*ret = (struct run_file){.fd = -1};
	if (run_file_directory(directory, err) < 0)
		return -1;
	err_set(err, "cannot make a file in '%s/runs': others remove it at once",
		printable_path(directory, shown));
	for (int tries = 0; tries < TRIES; tries++) {
		rc = make_new(directory, ret, &kept, err);
		if (rc == 0 || kept)
			return rc;
	}
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
