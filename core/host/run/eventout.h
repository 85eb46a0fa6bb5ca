/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cookbook --json`: the events of a run on our standard output, a line each, instead of what its
 * cookbook prints there. A reader that is far behind loses events, which the
 * numbers of the others tell; one that has gone ends it.
 */
#ifndef SPICERACK_HOST_EVENTOUT_H
#define SPICERACK_HOST_EVENTOUT_H

#include <stdbool.h>

#include "../../runtime/buf.h"
#include "../journal/journal.h"
#include "../log/log.h"

struct eventout {
	struct event_sink sink; /* for journal_add_sink() */
	struct log *log;
	struct buf pending;
	bool gone;
};

/* Keeps `log`. */
void eventout_begin(struct eventout *eventout, struct log *log);

/* Whether the reader keeps up, and whether something waits for it. NULL is fine. */
bool eventout_wants_more(const struct eventout *eventout);
bool eventout_is_pending(const struct eventout *eventout);

/* Writes what is taken without blocking. */
void eventout_flush(struct eventout *eventout);

/* Waits for the reader, or a signal at `signal_fd`. */
void eventout_end(struct eventout *eventout, int signal_fd);

#endif
