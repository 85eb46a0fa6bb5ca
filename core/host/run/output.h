/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cookbook prints. Its standard output is data and goes to ours, byte by byte but for
 * its secrets, as fast as that is read and no faster, or becomes events, a line each; its standard
 * error becomes log records, a line each.
 */
#ifndef SPICERACK_HOST_OUTPUT_H
#define SPICERACK_HOST_OUTPUT_H

#include <stdbool.h>

#include "../../runtime/buf.h"
#include "../log/log.h"
#include "../log/progress.h"
#include "../log/redactor.h"
#include "eventout.h"

struct output {
	int out_fd, err_fd; /* pipes from the child, non-blocking; -1: at their end */
	struct buf out;     /* not yet written to our standard output */
	struct buf err;     /* a line not yet ended */
	bool lost;          /* ours takes nothing: a full disk, not a reader that has gone */
	struct eventout
		*events; /* where its standard output goes as events instead; NULL: as data */
	struct log *log;
	const char *name;              /* of the cookbook */
	struct redactor_stream stream; /* of its standard output */
	struct progress progress;      /* what it says of how far it is */
};

/* Whether the pipe of standard output should be read: not while our own reader is slow. */
bool output_wants_more(const struct output *output);

/* Whether something waits for our own reader. */
bool output_is_pending(const struct output *output);

/* Passes on what had arrived when it was called, without waiting. */
void output_drain_out(struct output *output);
void output_drain_err(struct output *output);

/* Both, and the line that has not ended, too: the child has come to the end of something. */
void output_drain(struct output *output);

/*
 * Waits until our own reader has taken all of it; a signal for the supervisor, readable at
 * `signal_fd`, ends the waiting. Then closes everything.
 */
void output_finish(struct output *output, int signal_fd);

#endif
