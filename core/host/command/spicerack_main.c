/* SPDX-License-Identifier: Apache-2.0 */
/* The command `spicerack`: everything around cookbooks but running them, and commands on hosts. */
#include <stdio.h>
#include <string.h>

#include "check_command.h"
#include "config_command.h"
#include "hosts_command.h"
#include "kv_command.h"
#include "locks_command.h"
#include "new_command.h"
#include "run_command.h"
#include "runs_command.h"
#include "../run/outcome.h"
#include "stdio_guard.h"

static const struct {
	const char *name, *help;
	int (*run)(int argc, char **argv); /* the words behind the name */
} commands[] = {
	{"check", "tell what is wrong with cookbooks before they are shipped", check_command},
	{"config", "show the configuration and where it comes from", config_command},
	{"hosts", "tell which hosts a query is about", hosts_command},
	{"kv", "show conftool's objects, change them, move them between stores", kv_command},
	{"locks", "show who holds which lock, release it, hold it", locks_command},
	{"new", "make a cookbook to start from, in a bundle that builds and tests it", new_command},
	{"remote", "end what a lost run has left on other hosts", remote_command},
	{"run", "run commands on the hosts of a query", run_command},
	{"runs", "show what was run, how it ended, and what is owed", runs_command},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *out)
{
	fputs("usage: spicerack [-h] [--version] COMMAND ...\n\n"
	      "Everything around cookbooks but running them, which is cookbook(1); commands on "
	      "other\n"
	      "hosts.\n\n"
	      "commands:\n",
	      out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-20s  %s\n", commands[i].name, commands[i].help);
	fputs("\noptions:\n"
	      "  -h, --help            show this help message and exit\n"
	      "  --version             show the version and exit\n",
	      out);
}

static int run(int argc, char **argv)
{
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
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, argv + 2);
	help(stderr);
	fprintf(stderr, "spicerack: error: there is no command '%s'\n", argv[1]);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	if (stdio_guard_open() < 0)
		return EXIT_STARTUP;
	return stdio_guard_close(run(argc, argv));
}
