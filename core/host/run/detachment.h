/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a command goes on without its terminal: a child of a session of its own is the supervisor
 * from the beginning, since locks of files, threads and the number of the process belong to one
 * process. The parent waits until the child needs nobody any more.
 */
#ifndef SPICERACK_HOST_DETACHMENT_H
#define SPICERACK_HOST_DETACHMENT_H

#include <sys/types.h>

#include "../../runtime/err.h"

struct detachment {
	pid_t child; /* 0: this is the child */
	int word;    /* a pipe for the id of the run */
};

/* Forks. -1 with the reason. */
MUST_CHECK int detachment_begin(struct detachment *detachment, struct err *err);

/*
 * The parent: waits for the child to be on its own, shows the id of the run and how to attach, and
 * returns 0; when the child has ended before, its exit code. Signals are the child's until then.
 */
int detachment_await(struct detachment *detachment);

/* The child is on its own, with this run. */
void detachment_tell(struct detachment *detachment, const char *run);

#endif
