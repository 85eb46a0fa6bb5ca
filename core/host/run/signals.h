/* SPDX-License-Identifier: Apache-2.0 */
/* The signals that mean something to a supervisor, taken one at a time from a descriptor. */
#ifndef SPICERACK_HOST_SIGNALS_H
#define SPICERACK_HOST_SIGNALS_H

#include "../../runtime/err.h"

/*
 * Blocks SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGTSTP, unless they are ignored already
 * (nohup, a shell's background job), ignores SIGPIPE and SIGXFSZ, and returns a descriptor that is
 * readable while one of them waits; -1 with the reason.
 */
MUST_CHECK int signals_open(struct err *err);

/* The next signal that waits, or 0. */
int signals_next(int fd);

#endif
