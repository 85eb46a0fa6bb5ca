/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that the operator types at the terminal on the standard streams, edited by a driver
 * (plugin.h) where there is one, else by the terminal itself.
 */
#ifndef SPICERACK_HOST_LINEEDIT_H
#define SPICERACK_HOST_LINEEDIT_H

#include <stdbool.h>
#include <stdio.h>

#include <spicerack/value.h>

#include "../../runtime/err.h"

struct lineedit;

/* As spk_lineedit_calls.complete of plugin.h. */
typedef spk_strings lineedit_complete(void *data, const char *text, size_t *ret_word);

enum lineedit_end {
	LINEEDIT_LINE,
	LINEEDIT_CANCELLED,  /* Ctrl+C, or Ctrl+D on an empty line */
	LINEEDIT_TERMINATED, /* another signal, or the terminal has gone */
};

/* Whether there is somebody at standard input and output to type and to read. */
bool lineedit_is_possible(void);

/*
 * Takes the terminal. The locale becomes the environment's, or C.UTF-8 where that is no UTF-8.
 * `signal_fd` is that of signals_open(); while a line is read Ctrl+Z suspends the process, and all
 * else ends the line. `err` gets the reason, "" if none, why lines are not edited; the caller may
 * tell it. Never fails.
 */
struct lineedit *lineedit_open(int signal_fd, size_t history_lines, lineedit_complete *complete,
			       void *data, struct err *err) __attribute__((returns_nonnull));

/* Adds a line to what the arrow keys bring back. */
void lineedit_remember(struct lineedit *lineedit, const char *line);

/*
 * Shows the prompt and reads a line, which is `*ret_line` without its end until the next call.
 * However it ends, the terminal has its settings back.
 */
enum lineedit_end lineedit_read(struct lineedit *lineedit, const char *prompt,
				const char **ret_line);

void lineedit_close(struct lineedit *lineedit);

#endif
