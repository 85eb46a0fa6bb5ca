/* SPDX-License-Identifier: Apache-2.0 */
/* Our own standard output, whose reader may be slow or gone: nothing ever waits for it in a run. */
#ifndef SPICERACK_HOST_OUTFLOW_H
#define SPICERACK_HOST_OUTFLOW_H

#include "../../runtime/buf.h"
#include "../log/log.h"

/* What may wait for a slow reader before the cookbook has to. */
#define OUTFLOW_PENDING_MAX 65536

/*
 * Writes as much of `pending` as is taken without blocking, and leaves the rest. When that cannot
 * be written at all (EPIPE: nobody reads it any more) all of it is dropped and the errno returned;
 * else 0.
 */
MUST_CHECK int outflow_write(struct buf *pending, struct log *log);

/*
 * Waits until `pending` is written, or a signal for the supervisor is readable at `signal_fd`, or
 * nobody reads.
 */
void outflow_finish(struct buf *pending, struct log *log, int signal_fd);

#endif
