/* SPDX-License-Identifier: Apache-2.0 */
/* One parser at work on its words, from left to right as argparse goes. Inside of argparse.h. */
#ifndef SPICERACK_HOST_ARGSCAN_H
#define SPICERACK_HOST_ARGSCAN_H

#include "argaction.h"

struct words {
	const char **items;
	size_t count, capacity;
};

/* What a word that looks like an option turned out to be. */
struct option_word {
	struct action *action; /* NULL: no option of this parser */
	const char *name;      /* as the parser spells it */
	const char *value;     /* behind `=` or glued to a short name; NULL: none */
};

/* Tells an option from a word: 'O' with *ret filled in, 'A', or '\0' with the failure in `out`. */
char argscan_classify(const struct parser *parser, const char *word, struct option_word *ret,
		      struct buf *out);

/* The action with an option of exactly these bytes, and how the parser spells it; or NULL. */
struct action *argscan_option(const struct parser *parser, const char *name, size_t length,
			      const char **ret_name);

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
