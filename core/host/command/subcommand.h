/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of `spicerack COMMAND`: a table of them, each with rows of arguments. */
#ifndef SPICERACK_HOST_SUBCOMMAND_H
#define SPICERACK_HOST_SUBCOMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "../argument/argparse.h"

#define SUBCOMMAND_ROWS_MAX 12
/* What an operator may say about what he does. */
#define REASON_MAX 512

struct subcommand {
	const char *name, *help;
	int (*run)(void *call); /* what the command's act() makes of the words */
	const struct arg_spec *rows[SUBCOMMAND_ROWS_MAX];
	void (*explain)(FILE *out); /* what its help has at the end; NULL: nothing */
	/* Instead of run and rows: gets the words as they are, and returns the exit code. */
	int (*forward)(int argc, char **argv);
	const char *cookbook; /* of the host's own, which has the table of those */
};

struct subcommands {
	const char *command, *about;
	/* Does it; returns the exit code. */
	int (*act)(const struct subcommand *subcommand, const struct parsed *parsed);
	const struct subcommand *items;
	size_t count;
};

/*
 * Reads the words of a command. True: it is to act on *ret. False: its help, or what is wrong with
 * them, was printed, and *ret_code is the exit code. parsed_free() *ret in any case.
 */
bool command_read(const char *program, const struct cookbook_spec *words, int argc, char **argv,
		  struct parsed *ret, int *ret_code);

/* The table of a subcommand as a parser wants it. `rows` are its own. */
struct subcommand_table {
	struct arg_spec rows[SUBCOMMAND_ROWS_MAX];
	struct cookbook_spec spec;
};

void subcommand_table_fill(const struct subcommand *subcommand, struct subcommand_table *ret);

/* The words behind the name of the command. Returns the exit code. */
int subcommands_run(const struct subcommands *subcommands, int argc, char **argv);

/* What was given for a row: its last text, or NULL; and whether it was. */
const char *subcommand_text(const struct parsed *parsed, const struct arg_spec *row);
bool subcommand_is_given(const struct parsed *parsed, const struct arg_spec *row);

/* Says what is wrong, made printable, on stderr. Returns EXIT_STARTUP. */
int subcommand_complain(const char *command, const char *name, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));
int subcommand_vcomplain(const char *command, const char *name, const char *format, va_list args)
	__attribute__((__format__(__printf__, 3, 0)));

/* Whether `--reason` is neither empty nor too long; says so otherwise. NULL is fine. */
bool subcommand_reason_is_good(const char *command, const char *name, const char *reason);

#endif
