/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of IRC: which of a server's are good for the library, and how a text becomes several. */
#ifndef SPICERACK_IRC_LINE_H
#define SPICERACK_IRC_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* Of a line, without its end. */
#define LINE_MAX_LENGTH 510

/*
 * Whether a line, without its end, may be given to libircclient, which crashes on some that a
 * server should not send and answers some that anybody in the channel may: only the commands that
 * we attend to, with all the parts that the library reads.
 */
bool line_is_good(const char *line, size_t length);

/*
 * How many bytes of the text go into a line of at most `limit` (16 or more): all of it, or up to a
 * blank, or to the end of a character.
 */
size_t line_fill(const char *text, size_t limit);

#endif
