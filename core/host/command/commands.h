/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what `spicerack` can do: for the command itself, its help, and completion. */
#ifndef SPICERACK_HOST_COMMANDS_H
#define SPICERACK_HOST_COMMANDS_H

#include "subcommand.h"

struct command {
	const char *name, *help; /* no help: it is shown nowhere */
	/* What takes the words behind the name and returns the exit code, or has subcommands. */
	int (*run)(int argc, char **argv);
	const struct subcommands *subcommands;
	/* The arguments of run: a table, or those of a cookbook of the host's own. */
	const struct cookbook_spec *words;
	const char *cookbook;
};

extern const struct command commands[];
extern const size_t command_count;

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);

#endif
