/* SPDX-License-Identifier: Apache-2.0 */
/* Where a file has its libraries looked for: nowhere that others could put theirs. */
#ifndef SPICERACK_HOST_RUNPATH_H
#define SPICERACK_HOST_RUNPATH_H

#include "elf.h"
#include "../check/finding.h"

/*
 * Judges the entries of DT_RUNPATH and DT_RPATH, and libraries named with a path (DT_NEEDED,
 * DT_AUXILIARY, DT_FILTER), of the file read from `path`: each must be an absolute path that
 * trust_check_place() accepts, where $ORIGIN or ${ORIGIN} at its start is the directory of `path`.
 * -1 and one line: `PATH: RUNPATH entry 'X': REASON`, `PATH: needs 'X': REASON`, or without X
 * when the text cannot be read. With `findings` all that is wrong becomes one, and `err` gets
 * the last; so does what is accepted here but will hardly be there elsewhere.
 */
MUST_CHECK int runpath_check(struct elf *elf, const char *path, struct findings *findings,
			     struct err *err);

#endif
