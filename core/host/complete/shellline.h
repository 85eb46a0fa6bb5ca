/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bash and its line editor make of a command line that is being typed: its words, which part
 * of the last one a completion replaces, and how that has to be quoted there. zsh and fish do all
 * of this themselves.
 */
#ifndef SPICERACK_HOST_SHELLLINE_H
#define SPICERACK_HOST_SHELLLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "../../runtime/buf.h"

struct shell_line {
	char **words; /* without their quotes; the last is the one at the cursor, perhaps empty */
	size_t count; /* at least 1 */
	size_t kept;  /* bytes of the last word in front of what is replaced */
	char quote;   /* the one that is open at the cursor: ', ", or 0 */
	bool opaque;  /* the last word has what only the shell knows the value of */
	bool file;    /* the last word is where to redirect to */
};

/*
 * Reads one command up to the cursor. `breaks` are the characters at which the line editor begins
 * something new, COMP_WORDBREAKS. Where words are redirected to is left out of them.
 */
void shell_line_read(const char *line, const char *breaks, struct shell_line *ret);
void shell_line_free(struct shell_line *line);

/*
 * Appends what is to stand in the place of the replaced part for the last word to become `text`,
 * which begins with that part of it that is kept and holds no control characters. False where that
 * cannot be said within the open quote.
 */
bool shell_line_put(const struct shell_line *line, const char *text, struct buf *out);

#endif
