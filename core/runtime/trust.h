/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose files we open. A file is trusted when it and every directory above it,
 * up to the root and with links resolved, are owned by root or by the caller
 * (effective uid) and cannot be written by others (nor by a group, unless it is
 * root's own or the caller's user-private group); a directory of root's that others may write is fine when it is sticky.
 */
#ifndef SPICERACK_CORE_TRUST_H
#define SPICERACK_CORE_TRUST_H

#include <sys/stat.h>

#include "err.h"

/* Judges one object by its attributes. `path` is only named in the reason. */
MUST_CHECK int trust_check_stat(const char *path, const struct stat *st, struct err *err);

/*
 * Judges `path` and all that leads to it. Directories already found good in this
 * process are remembered, so that a thousand files of one directory cost one walk.
 */
MUST_CHECK int trust_check_path(const char *path, struct err *err);

/* Judges the directory `path` lies in, and all above it; the file itself is the caller's, by trust_check_stat(). */
MUST_CHECK int trust_check_parents(const char *path, struct err *err);

#endif
