/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal of a durable run, which may be closed: the run goes on without one, until `spicerack
 * runs attach` lends it another. At any time there is one or none: the one that the run was started
 * at, until that is closed or another takes over, then one that was lent.
 *
 * What is shown is kept in a file as well, the screen, until an operator has let go in good order,
 * and has so seen it; a terminal that was closed may have shown nothing of late. Whoever attaches
 * next is shown that first.
 *
 * Clients of the socket are hostile: none of them can hold up or end the run but as Ctrl+C does.
 */
#ifndef SPICERACK_HOST_CONSOLE_H
#define SPICERACK_HOST_CONSOLE_H

#include "../log/log.h"
#include "attachment.h"

struct console;

/*
 * `directory` is that of the journal, `run` the id of the run. Kept: `log`, which shows and keeps
 * from here on what the console wants; it must outlive it. `detaches`: console_detach() follows. -1
 * with the reason, nothing is left then.
 */
MUST_CHECK int console_open(const char *directory, const char *run, struct log *log, bool detaches,
			    struct console **ret_console, struct err *err);

/*
 * The run has ended: says so to whoever is attached. True: not at the terminal that it was started
 * at. NULL is fine, here and below.
 */
bool console_close(struct console *console, int code);

/* Readable: console_attend() is due. -1: never. */
int console_fd(const struct console *console);

/* Attends to what has come. */
void console_attend(struct console *console);

/* Whether the terminal is another one, or none, since this was last asked. */
bool console_has_moved(struct console *console);

/* After that, when whoever used the terminal has left it as it was: its operator has it again. */
void console_bid_farewell(struct console *console);

/* The terminal of the start is no longer that of the run: it was closed (SIGHUP), or never was. */
void console_hang_up(struct console *console, const char *why);

/* The run goes on without the terminal of its start, as --detach wants it. */
void console_detach(struct console *console);

/* What clients want. */
struct console_wish {
	int signal; /* as if it had come from a terminal of the run */
	bool kill;  /* as if it were the second one */
};

/* The next one of them, in order. False: there is none. */
bool console_next_wish(struct console *console, struct console_wish *ret);

/* What became of a signal that may have been a wish. */
void console_tell_effect(struct console *console, enum attachment_effect effect);

enum console_place {
	CONSOLE_OWN,  /* the controlling terminal, if there is one */
	CONSOLE_NONE, /* an operator may come */
	CONSOLE_LENT,
};

/* Where to ask; `ret_fd` becomes a copy of the lent terminal, the caller's, or -1. */
enum console_place console_place(const struct console *console, int *ret_fd);

/* Says that a question waits for one. */
void console_await_operator(const struct console *console);

/* Whether a question waits for an operator to come rather than fail: there was one at the start. */
bool console_waits(const struct console *console);

#endif
