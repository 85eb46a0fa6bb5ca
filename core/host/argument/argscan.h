/* SPDX-License-Identifier: Apache-2.0 */
/* One parser at work on its words, from left to right as argparse goes. Inside of argparse.h. */
#ifndef SPICERACK_HOST_ARGSCAN_H
#define SPICERACK_HOST_ARGSCAN_H

#include "argaction.h"

struct words {
	const char **items;
	size_t count, capacity;
};

/*
 * Fills in the actions of the parser and of the subparser chosen, *ret_sub, which is left
 * alone when there is none. `extras` gets the words that nobody wants, from both. What is
 * not ARGPARSE_OK has left its text in `out`.
 */
MUST_CHECK enum argparse_outcome argscan(struct parser *parser, const char *const *words,
					 size_t count, struct words *extras,
					 struct parser **ret_sub, struct buf *out);

/* Usage and `PROGRAM: error: MESSAGE`, made safe for a terminal. Returns ARGPARSE_USAGE. */
enum argparse_outcome argscan_fail(const struct parser *parser, const char *message,
				   struct buf *out);

#endif
