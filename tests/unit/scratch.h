/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of a test's own, and files in it. For programs of Check: failures end the test. */
#ifndef SPICERACK_TESTS_SCRATCH_H
#define SPICERACK_TESTS_SCRATCH_H

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[64];

static inline void scratch_make(void)
{
	umask(022);
	snprintf(scratch, sizeof(scratch), "/tmp/spicerack-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch));
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type,
				     struct FTW *walk)
{
	return remove(path);
}

static inline void scratch_remove(void)
{
	nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* One of a few rotating buffers. */
static inline const char *scratch_path(const char *name)
{
	static char paths[8][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
	return path;
}

static inline void scratch_directory_mode(const char *name, mode_t mode)
{
	ck_assert_int_eq(mkdir(scratch_path(name), 0755), 0);
	ck_assert_int_eq(chmod(scratch_path(name), mode), 0);
}

static inline void scratch_directory(const char *name)
{
	scratch_directory_mode(name, 0755);
}

static inline void scratch_bytes(const char *name, const void *bytes, size_t length, mode_t mode)
{
	FILE *file = fopen(scratch_path(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(scratch_path(name), mode), 0);
}

static inline void scratch_file_mode(const char *name, const char *text, mode_t mode)
{
	scratch_bytes(name, text, strlen(text), mode);
}

static inline void scratch_file(const char *name, const char *text)
{
	scratch_file_mode(name, text, 0644);
}

/* All of a file, for free(). */
static inline unsigned char *read_whole(const char *path, size_t *ret_length)
{
	FILE *file = fopen(path, "r");
	unsigned char *bytes = calloc(1, 1 << 20);

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(bytes);
	*ret_length = fread(bytes, 1, (1 << 20) - 1, file);
	fclose(file);
	return bytes;
}

/* The same as text, of a file in the directory. */
static inline char *scratch_read(const char *name)
{
	size_t length;

	return (char *)read_whole(scratch_path(name), &length);
}

#endif
