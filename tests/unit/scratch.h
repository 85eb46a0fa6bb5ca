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

static inline void scratch_directory(const char *name)
{
	ck_assert_int_eq(mkdir(scratch_path(name), 0755), 0);
}

static inline void scratch_file(const char *name, const char *text)
{
	FILE *file = fopen(scratch_path(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fchmod(fileno(file), 0644), 0);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

/* The contents, for free(). */
static inline char *scratch_read(const char *name)
{
	FILE *file = fopen(scratch_path(name), "r");
	char *text = NULL;
	size_t size = 0;

	ck_assert_ptr_nonnull(file);
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

#endif
