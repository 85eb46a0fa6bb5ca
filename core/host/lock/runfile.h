/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run file: an empty file that is locked for as long as any process of this run lives. The
 * descriptor is handed on to all of them, and the kernel takes the lock away with the last.
 */
#ifndef SPICERACK_HOST_RUNFILE_H
#define SPICERACK_HOST_RUNFILE_H

#include "../../runtime/err.h"

#define UUID_SIZE 37

/* A random UUID in text. */
void uuid_make(char out[UUID_SIZE]);

struct run_file {
	int fd; /* -1: none */
	char *path;
};

/*
 * Makes the directory, if it is not there, and in it `runs` with a run file of a new name. What is
 * made may be used by the group as far as the directory above may. -1 with the
 * reason.
 */
MUST_CHECK int run_file_make(const char *directory, struct run_file *ret, struct err *err);

/* Removes it; the lock is others' to hold on to. */
void run_file_end(struct run_file *file);

/* Makes `directory`/runs as run_file_make() does. */
MUST_CHECK int run_file_directory(const char *directory, struct err *err);

#endif
