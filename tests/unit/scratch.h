/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of a test's own, with files in it. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[32];

static inline void scratch_make(void)
{
	umask(022);
	snprintf(scratch, sizeof(scratch), "/tmp/spicerack-XXXXXX");
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

/* The path of `name` in it, good for the next seven calls. */
static inline const char *scratch_path(const char *name)
{
	static char paths[8][512];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
	return path;
}

static inline void scratch_directory(const char *name, mode_t mode)
{
	ck_assert_int_eq(mkdir(scratch_path(name), 0755), 0);
	ck_assert_int_eq(chmod(scratch_path(name), mode), 0);
}

static inline void scratch_bytes(const char *name, const void *bytes, size_t length, mode_t mode)
{
	FILE *file = fopen(scratch_path(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(scratch_path(name), mode), 0);
}

static inline void scratch_file(const char *name, const char *text, mode_t mode)
{
	scratch_bytes(name, text, strlen(text), mode);
}

/* All of a file, the caller's to free(). */
static inline unsigned char *read_whole(const char *path, size_t *ret_length)
{
	FILE *file = fopen(path, "r");
	unsigned char *bytes = malloc(1 << 20);

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(bytes);
	*ret_length = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

#endif
