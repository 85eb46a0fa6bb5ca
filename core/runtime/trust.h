/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose files we open. An object is trusted when
 * - it is owned by root or by the caller (effective uid), and
 * - others cannot write to it, and
 * - a group cannot write to it, unless that is root's group (gid 0), or the object is the
 *   caller's own and its group the caller's user-private one (the primary gid, of the same number
 * as the uid); a sticky directory of root's may be writable by anybody (/tmp). A path is trusted
 * when the object, every directory that leads to it, and every link on the way with the directories
 * that lead to its target are.
 *
 * Reasons start with the path of the object at fault.
 */
#ifndef SPICERACK_CORE_TRUST_H
#define SPICERACK_CORE_TRUST_H

#include <sys/stat.h>

#include "err.h"

/* Judges one object by its attributes. `path` is only named in the reason. */
MUST_CHECK int trust_check_stat(const char *path, const struct stat *st, struct err *err);

/*
 * Judges `path` and all that leads to it. Directories already found good in this process are
 * remembered, so that a thousand files of one directory cost one walk.
 */
MUST_CHECK int trust_check_path(const char *path, struct err *err);

/*
 * Judges the directory that `path` lies in, and all above it; where `path` is a link, also its
 * owner and the directories of its target. The file itself is the caller's, by
 * trust_check_stat() on the descriptor that it opened. A last component that does not exist is
 * fine.
 */
MUST_CHECK int trust_check_parents(const char *path, struct err *err);

/*
 * As trust_check_path(), for a place where something is looked for later. What does not exist is
 * fine when the nearest directory above it is; but neither that nor `path` itself may be writable
 * by others, not even a sticky directory, for there anybody can add files.
 */
MUST_CHECK int trust_check_place(const char *path, struct err *err);

#endif
