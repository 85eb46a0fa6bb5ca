/* SPDX-License-Identifier: Apache-2.0 */
/* A small text file of somebody else's (configuration, group.cfg) read whole and with suspicion. */
#ifndef SPICERACK_CORE_SMALLFILE_H
#define SPICERACK_CORE_SMALLFILE_H

#include <stddef.h>

#include "buf.h"
#include "err.h"

/*
 * Appends the contents of `path` to `out`. Refused with one line that starts with the path: what
 * is not a regular file, not trusted by its own owner and mode (trust.h; the directories above
 * are the caller's to judge), longer than `limit` bytes, or holds a NUL byte. Opening neither
 * waits (for the writer of a FIFO) nor takes a terminal. On failure `out` is as it was and errno
 * is ENOENT when, and only when, there is no such file.
 */
MUST_CHECK int smallfile_read(const char *path, size_t limit, struct buf *out, struct err *err);

/* The same for `name` in the open directory `directory`; `path` is only named in the reason. */
MUST_CHECK int smallfile_read_at(int directory, const char *name, const char *path, size_t limit,
				 struct buf *out, struct err *err);

#endif
