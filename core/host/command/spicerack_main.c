/* SPDX-License-Identifier: Apache-2.0 */
/* The command `spicerack`: everything around cookbooks but running them, and commands on hosts. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../run/outcome.h"
#include "commands.h"
#include "stdio_guard.h"

static void help(FILE *out)
{
	fputs("usage: spicerack [-h] [--version] COMMAND ...\n\n"
	      "Everything around cookbooks but running them, which is cookbook(1); commands on "
	      "other\n"
	      "hosts.\n\n"
	      "commands:\n",
	      out);
	for (size_t i = 0; i < command_count; i++)
		if (commands[i].help)
			fprintf(out, "  %-20s  %s\n", commands[i].name, commands[i].help);
	fputs("\noptions:\n"
	      "  -h, --help            show this help message and exit\n"
	      "  --version             show the version and exit\n",
	      out);
}

static int run(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
		help(stdout);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("spicerack " SPICERACK_VERSION);
		return EXIT_OK;
	}
	command = command_find(argv[1]);
	if (command && command->subcommands)
		return subcommands_run(command->subcommands, argc - 2, argv + 2);
	if (command)
		return command->run(argc - 2, argv + 2);
	help(stderr);
	fprintf(stderr, "spicerack: error: there is no command '%s'\n", argv[1]);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	/* Who ignores his children, and is inherited from, would never learn how they end. */
	signal(SIGCHLD, SIG_DFL);
	if (stdio_guard_open() < 0)
		return EXIT_STARTUP;
	return stdio_guard_close(run(argc, argv));
}
