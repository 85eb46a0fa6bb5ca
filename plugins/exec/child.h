/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An executable that answers on its standard output: run without a shell, in a process group of its
 * own, of which nothing is left when it is over.
 */
#ifndef SPICERACK_EXEC_CHILD_H
#define SPICERACK_EXEC_CHILD_H

#include "../base/text.h"

/*
 * Runs argv[0], an absolute path, and appends what it writes to `out`, at most `limit` bytes. It
 * has no input, and of our environment what tells who and where we are. -1 with a reason: it could
 * not be run, ended otherwise than by exit(0), wrote too much, or not until the deadline.
 */
int child_run(char *const *argv, size_t limit, struct text *out, struct spk_inventory_call *call);

#endif
