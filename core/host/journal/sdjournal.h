/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Under systemd: events of a run as entries of its journal, with fields that can be asked for, as
 * in `journalctl SPICERACK_RUN=ID`. Records come there by stderr, as always, and not twice.
 */
#ifndef SPICERACK_HOST_SDJOURNAL_H
#define SPICERACK_HOST_SDJOURNAL_H

#include "journal.h"

struct sdjournal {
	struct event_sink sink; /* for journal_add_sink() */
	int fd;                 /* -1: nobody listens */
};

/* Nobody listens where systemd did not start us. */
void sdjournal_begin(struct sdjournal *sdjournal);
void sdjournal_end(struct sdjournal *sdjournal);

/* Appends an event as the journal's protocol has it. */
void sdjournal_put(const struct event *event, struct buf *out);

#endif
