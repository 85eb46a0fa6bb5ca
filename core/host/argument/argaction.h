/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser made from a cookbook's table: one action per row, beside the ones that
 * every parser has, and a parser per subcommand. Inside of argparse.h.
 */
#ifndef SPICERACK_HOST_ARGACTION_H
#define SPICERACK_HOST_ARGACTION_H

#include "argparse.h"

enum action_kind {
	ACTION_ROW,
	ACTION_HELP,
	ACTION_TASK_ID,
	ACTION_REASON,
	ACTION_SUBCOMMANDS,
};

enum action_nargs {
	NARGS_NONE, /* a flag */
	NARGS_ONE,
	NARGS_OPTIONAL,
	NARGS_ANY,
	NARGS_SOME,
	NARGS_SUBCOMMAND, /* one, and then whatever follows */
};

struct action {
	enum action_kind kind;
	enum action_nargs nargs;
	const struct arg_spec *spec; /* never NULL: made up where there is no row */
	const char *dest;
	const char *metavar;       /* NULL: derived */
	const char *help;          /* NULL: none */
	const char *default_shown; /* NULL: has none to show */
	spk_strings options;       /* empty: positional */
	spk_strings choices;
	bool has_choices, required, hidden, extend;
	int group; /* index in cookbook_spec.groups, -1: none */

	/* What parsing found. */
	bool seen;  /* its turn came, perhaps without a word */
	bool given; /* it stood on the command line */
	const char **texts;
	size_t text_count, text_capacity;
};

struct parser {
	const struct cookbook_spec *spec;
	const struct argparse_context *context;
	const struct subcommand_spec *subcommand; /* NULL: the main parser */
	const char *prog;
	struct action *actions;
	size_t count;
	struct parser *subparsers; /* one per subcommand of the main parser */
	bool numeric_options;      /* there is an option such as -1 */

	/* Memory that goes with it. */
	void **kept;
	size_t kept_count, kept_capacity;
};

/* Builds the parser with all its subparsers. -1 for a table that cannot be honoured. */
MUST_CHECK int parser_build(struct parser *parser, const struct cookbook_spec *spec,
			    const struct argparse_context *context, struct err *err);
void parser_free(struct parser *parser);

/* How errors call an argument: `-f/--file`, its metavar, or its name. */
void action_name(const struct action *action, struct buf *out);

/* The action of a row or NULL. */
struct action *parser_find(const struct parser *parser, const struct arg_spec *spec);

/* An upper-case or lower-case copy as .as says, else the text; yours. */
char *action_transform(const struct action *action, const char *text);

/* Whether argparse takes it for a negative number rather than for options: -1, -.5 */
bool action_negative_number(const char *text);

#endif
