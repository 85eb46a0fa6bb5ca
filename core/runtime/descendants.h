/* SPDX-License-Identifier: Apache-2.0 */
/* Ending everything that a process started: it must be a subreaper (PR_SET_CHILD_SUBREAPER). */
#ifndef SPICERACK_CORE_DESCENDANTS_H
#define SPICERACK_CORE_DESCENDANTS_H

#include <stddef.h>
#include <sys/types.h>

#include "buf.h"

/*
 * Kills and reaps all children of the caller but the `spared` and the disowned ones, and what these
 * leave to the caller when they die, until none is left or 5 seconds have passed. The status of
 * `wanted` (0: nobody's), if it was among them, goes to *ret_status. Returns 0, or -1 when
 * something would not die, or belongs to a user whose processes the caller may not kill.
 */
int descendants_kill(const pid_t *spared, size_t spared_count, pid_t wanted, int *ret_status);

/*
 * The children that the caller has now, but the `spared` ones, are none of its business: they are
 * not killed nor reaped from now on. Their names and numbers are added to `names`, if that is
 * given.
 */
void descendants_disown(const pid_t *spared, size_t spared_count, struct buf *names);

#endif
