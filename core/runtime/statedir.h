/* SPDX-License-Identifier: Apache-2.0 */
/* A directory in which we keep what outlives a run: locks, the journal, keys. */
#ifndef SPICERACK_CORE_STATEDIR_H
#define SPICERACK_CORE_STATEDIR_H

#include "err.h"

/*
 * Makes the directory and those above it that are missing. What is made may be used by the group as
 * far as the directory above may. -1 with the reason, also where others could have put something
 * into it.
 */
MUST_CHECK int state_dir_make(const char *path, struct err *err);

/* Whether the directory, if it is there, is one whose contents may be believed. */
MUST_CHECK int state_dir_check(const char *path, struct err *err);

#endif
