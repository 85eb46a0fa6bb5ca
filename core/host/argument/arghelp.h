/* SPDX-License-Identifier: Apache-2.0 */
/* Usage and help of a parser, line by line as argparse prints them. Inside of argparse.h. */
#ifndef SPICERACK_HOST_ARGHELP_H
#define SPICERACK_HOST_ARGHELP_H

#include "argaction.h"

/* "usage: ...\n" */
void arghelp_usage(const struct parser *parser, struct buf *out);

/* The whole help. -1 when a text holds a `%` that cannot be expanded. */
MUST_CHECK int arghelp_format(const struct parser *parser, struct buf *out, struct err *err);

/* What the usage of a subcommand starts with: the program and its positionals so far. */
void arghelp_prefix(const struct parser *parser, struct buf *out);

/* The values that an action takes: `FILE`, `[X ...]`. */
void arghelp_values(const struct action *action, struct buf *out);

/* "{a,b}" */
void arghelp_choices(const struct action *action, struct buf *out);

/* The help text of one argument, as it is shown but not wrapped; -1 when it cannot be expanded. */
MUST_CHECK int arghelp_text(const struct parser *parser, const struct action *action,
			    struct buf *out, struct err *err);

/* Whether the help text of one argument can be shown; -1 with the reason. */
MUST_CHECK int arghelp_check(const struct parser *parser, const struct action *action,
			     struct err *err);

#endif
