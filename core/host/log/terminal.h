/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's terminal as a sink of log records. It cannot fail, kill or
 * hold up the run: a reader that stands still costs a second once and then lines,
 * which are counted and the loss told when it reads again; a reader that has gone
 * ends the sink.
 *
 * Below the records there may be one line that is not theirs: a status, which is erased before a
 * record and drawn again behind it, or the place where an answer is typed. Neither is a part of
 * what the terminal is for, and neither is there where it is no terminal.
 */
#ifndef SPICERACK_HOST_TERMINAL_H
#define SPICERACK_HOST_TERMINAL_H

#include <spicerack/session.h>
#include <stdbool.h>

#include "../../runtime/buf.h"
#include "record.h"

struct terminal {
	int fd;
	bool coloured, dry_run, disabled;
	bool addressable; /* a line can be drawn again, if it is a terminal */
	bool stuck;       /* the last write found no room: do not wait again */
	bool inside_line; /* a line was cut */
	bool owns_fd;
	enum spk_level threshold;
	unsigned long lost; /* lines */
	const char *cue;    /* of a question that waits; NULL: none */
	struct buf status;
	size_t status_width;
	size_t status_columns; /* that, while it stands there; 0: it does not */
	bool foreign;          /* the cursor stands behind somebody else's unfinished line */
	struct buf line;
};

/*
 * `fd` stays the caller's. Colours: never with NO_COLOR, else always with CLICOLOR_FORCE, else on a
 * terminal that is not dumb unless CLICOLOR is 0.
 */
void terminal_init(struct terminal *terminal, int fd, bool dry_run, bool verbose);
/*
 * A terminal that somebody else has lent: `fd`, which never waits, becomes its own. What is shown
 * there is what `like` shows.
 */
void terminal_init_lent(struct terminal *terminal, int fd, const struct terminal *like,
			bool coloured, bool addressable);
/* Whether a line of a terminal can be drawn again here, by TERM. */
bool terminal_is_addressable(void);
/* Whether what is written to `fd` is coloured, by that rule. */
bool terminal_wants_colours(int fd);
/* Shows a record of INFO and above, in dry-run or verbose any. Keeps errno. */
void terminal_write(struct terminal *terminal, const struct log_record *record);

/* Shows data, as it is, between the records. */
void terminal_show(struct terminal *terminal, const char *text, size_t length);

/* The columns of the terminal; 0: it is none that a status could be drawn on. */
size_t terminal_columns(const struct terminal *terminal);

/* Draws the status, of at most as many columns less one; "" is none. It may be dropped. */
void terminal_set_status(struct terminal *terminal, const char *text, size_t columns);

/* A question waits: records stand above it. Kept; NULL: none any more. */
void terminal_set_cue(struct terminal *terminal, const char *cue);

/*
 * Before and behind what is written to `fd`, which may be the same terminal. False: there is
 * nothing in its way. `ended`: it did with a newline.
 */
bool terminal_yield(struct terminal *terminal, int fd);
void terminal_resume(struct terminal *terminal, bool ended);

void terminal_close(struct terminal *terminal);

#endif
