/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's terminal as a sink of log records. It cannot fail, kill or
 * hold up the run: a reader that stands still costs a second once and then lines,
 * which are counted and the loss told when it reads again; a reader that has gone
 * ends the sink.
 */
#ifndef SPICERACK_HOST_TERMINAL_H
#define SPICERACK_HOST_TERMINAL_H

#include <spicerack/session.h>
#include <stdbool.h>

#include "../runtime/buf.h"
#include "record.h"

struct terminal {
	int fd;
	bool coloured, dry_run, disabled;
	bool stuck;       /* the last write found no room: do not wait again */
	bool inside_line; /* a line was cut */
	bool owns_fd;
	enum spk_level threshold;
	unsigned long lost; /* lines */
	struct buf line;
};

/*
 * `fd` stays the caller's. Colours: never with NO_COLOR, else always with CLICOLOR_FORCE, else on a
 * terminal that is not dumb unless CLICOLOR is 0.
 */
void terminal_init(struct terminal *terminal, int fd, bool dry_run, bool verbose);
/* Whether what is written to `fd` is coloured, by that rule. */
bool terminal_wants_colours(int fd);
/* Shows a record of INFO and above, in dry-run or verbose any. Keeps errno. */
void terminal_write(struct terminal *terminal, const struct log_record *record);
void terminal_close(struct terminal *terminal);

#endif
