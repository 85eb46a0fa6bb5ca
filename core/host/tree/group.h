/* SPDX-License-Identifier: Apache-2.0 */
/* group.cfg: the title and the owner of a directory of cookbooks. */
#ifndef SPICERACK_HOST_GROUP_H
#define SPICERACK_HOST_GROUP_H

#include "../../runtime/err.h"

#define GROUP_FILE "group.cfg"

struct group {
	char *title, *owner; /* NULL: not given, or empty */
};

/*
 * Reads GROUP_FILE of the open directory `directory`; `path` is the file's path for the reason and
 * for judging the directories of a link's target. The file may set `title` and `owner`, strings of
 * one line, in libconfig's syntax without @include. -1 and one line `PATH:LINE: REASON` or `PATH:
 * REASON` for anything else; errno is ENOENT when, and only when, there is no such file.
 */
MUST_CHECK int group_read(int directory, const char *path, struct group *ret, struct err *err);

void group_free(struct group *group);

#endif
