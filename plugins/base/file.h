/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of other people that a driver reads or runs, judged as the host judges its own: owned by
 * root or by us, and written to by nobody else, they and all directories that lead to them.
 */
#ifndef SPICERACK_BASE_FILE_H
#define SPICERACK_BASE_FILE_H

#include "text.h"

/* Judges a file, which must be a regular one, by its absolute path. -1 with a reason that names it.
 */
int file_trust(const char *path, struct spk_reason_buffer *reason);

/*
 * Appends what is in it, at most `limit` bytes, without a NUL; `out` ends in one, also when nothing
 * is. -1 as file_trust(); errno is ENOENT when, and only when, there is no such file.
 */
int file_read(const char *path, size_t limit, struct text *out, struct spk_reason_buffer *reason);

/* The end of a long path for a message: it says more than its beginning. */
const char *file_shown(const char *path);

#endif
