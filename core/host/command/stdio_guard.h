/* SPDX-License-Identifier: Apache-2.0 */
/* Standard descriptors that may be missing, closed or full. */
#ifndef SPICERACK_HOST_STDIO_GUARD_H
#define SPICERACK_HOST_STDIO_GUARD_H

#include "../../runtime/buf.h"

/*
 * Opens /dev/null for those of the descriptors 0 to 2 that are closed, so that no file
 * of ours gets their number. -1 when that cannot be done.
 */
int stdio_guard_open(void);

/*
 * Writes a text to stdout, now, so that a failure is told once and here. -1 with errno; a reader
 * that went away is none.
 */
int stdio_guard_write(const struct buf *text);

/*
 * Writes out what stdout holds. Returns `code`, or 1 when code is 0 and the output could
 * not be written (a full disk; a reader that went away is none of our business).
 */
int stdio_guard_close(int code);

#endif
