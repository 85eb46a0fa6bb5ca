/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include <string.h>

#include "check_command.h"
#include "complete_command.h"
#include "config_command.h"
#include "hosts_command.h"
#include "kv_command.h"
#include "locks_command.h"
#include "new_command.h"
#include "run_command.h"
#include "runs_command.h"

const struct command commands[] = {
	{"check", "tell what is wrong with cookbooks before they are shipped", .run = check_command,
	 .words = &check_words},
	{"complete", NULL, .run = complete_command},
	{"config", "show the configuration and where it comes from",
	 .subcommands = &config_subcommands},
	{"hosts", "tell which hosts a query is about", .run = hosts_command, .words = &hosts_words},
	{"kv", "show conftool's objects, change them, move them between stores",
	 .subcommands = &kv_subcommands},
	{"locks", "show who holds which lock, release it, hold it",
	 .subcommands = &locks_subcommands},
	{"new", "make a cookbook to start from, in a bundle that builds and tests it",
	 .run = new_command, .words = &new_words},
	{"remote", "end what a lost run has left on other hosts",
	 .subcommands = &remote_subcommands},
	{"run", "run commands on the hosts of a query", .run = run_command,
	 .cookbook = RUN_COOKBOOK},
	{"runs", "show what was run, how it ended, and what is owed",
	 .subcommands = &runs_subcommands},
};

const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}
