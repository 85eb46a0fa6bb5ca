/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of a cookbook, parsed from its table, with the grammar and the
 * wording of Python's argparse (no abbreviations of long options).
 */
#ifndef SPICERACK_HOST_ARGPARSE_H
#define SPICERACK_HOST_ARGPARSE_H

#include "../../runtime/buf.h"
#include "../../runtime/err.h"
#include "../peek/spec.h"

/* What the parser has to know beside the table. */
struct argparse_context {
	const char *program; /* "cookbook [GLOBAL_ARGS] group1.important-cookbook" */
	const char *owner;   /* the team, for the end of the help */
	bool plain_help;     /* do not append the defaults to the help texts */
	int columns;         /* width of the help; argparse's rule: terminal columns - 2 */
	/* Resolves .choices_from; -1 and a reason when the configuration has no such list. */
	int (*choices)(void *data, const char *path, spk_strings *ret_choices, struct err *err);
	/*
	 * Whether `text` as a whole matches the PCRE2 pattern of a row: 1, 0, or -1 and a reason
	 * for a pattern that is none. NULL: tables with a pattern are ARGPARSE_BROKEN.
	 */
	int (*matches)(void *data, const char *pattern, const char *text, struct err *err);
	void *data;
	/* A word that holds this text stands for any value that is accepted; NULL: none does. */
	const char *placeholder;
};

/* One argument of the main table or of the chosen subcommand, in table order. */
struct parsed_arg {
	const struct arg_spec *spec;
	bool given;
	/*
	 * The texts that stood on the command line, one per value (comma lists not yet
	 * split); they point into argv. No text and not given: the worker applies the default. No
	 * text and given: a flag, a `*` without values, or an option `?` without its value.
	 */
	spk_strings texts;
};

struct parsed {
	struct parsed_arg *args;
	size_t arg_count;
	const struct subcommand_spec *subcommand; /* NULL: none chosen or none there */
	/* NULL: not asked for by the cookbook; "" when optional and not given. Point into argv. */
	const char *task_id, *reason;
};

enum argparse_outcome {
	ARGPARSE_OK,
	ARGPARSE_HELP,   /* `out` is the help, for stdout; exit 0 */
	ARGPARSE_USAGE,  /* `out` is usage and error, for stderr; exit 2 */
	ARGPARSE_BROKEN, /* `out` is why the parser could not be built: exit 95; one line, no
			    newline */
};

/* Parses argv[0..argc-1], which are the words after the cookbook's name. */
enum argparse_outcome argparse(const struct cookbook_spec *spec,
			       const struct argparse_context *context, int argc, char *const *argv,
			       struct parsed *ret_parsed, struct buf *out);

void parsed_free(struct parsed *parsed);

/* "usage: ...\n" and "PROGRAM: error: MESSAGE\n": for a refusal by the worker (.check, .parse). */
void argparse_usage_error(const struct cookbook_spec *spec, const struct argparse_context *context,
			  const struct subcommand_spec *subcommand, const char *message,
			  struct buf *out);

#endif
