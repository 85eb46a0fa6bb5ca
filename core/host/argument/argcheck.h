/* SPDX-License-Identifier: Apache-2.0 */
/* Judges what was given: each value by its row, all of them by the rules. Inside of argparse.h. */
#ifndef SPICERACK_HOST_ARGCHECK_H
#define SPICERACK_HOST_ARGCHECK_H

#include "argaction.h"

enum argcheck {
	ARGCHECK_GOOD,
	ARGCHECK_REFUSED, /* the message says why, without the name of the argument */
	ARGCHECK_BROKEN,  /* the table is at fault: err says why */
};

/* The words of one argument, with their elements where they are comma lists. */
enum argcheck argcheck_words(const struct parser *parser, const struct action *action,
			     const char *const *words, size_t count, struct buf *message,
			     struct err *err);

/*
 * The rules that concern the main parser and the subparser chosen (NULL: none). On refusal
 * the message is complete, and *ret_parser the one whose usage goes with it.
 */
enum argcheck argcheck_rules(const struct parser *parser, const struct parser *sub,
			     const struct parser **ret_parser, struct buf *message);

#endif
