/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPICERACK_HOST_RUNNERSTART_H
#define SPICERACK_HOST_RUNNERSTART_H

#include "link.h"

/*
 * Starts a runner with its ends of all that the link has: link->runner and the link's descriptors
 * are set. -1 with the reason; what was opened until then is link_close()'s.
 */
MUST_CHECK int runner_start(struct link *link, const char *runner, struct err *err);

#endif
