/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack run` and `spicerack remote`: runs of cookbooks of the host's own. */
#ifndef SPICERACK_HOST_RUN_COMMAND_H
#define SPICERACK_HOST_RUN_COMMAND_H

#include "subcommand.h"

#define RUN_COOKBOOK "spicerack.run"

/* The words behind the name of the command. Returns the exit code. */
int run_command(int argc, char **argv);

extern const struct subcommands remote_subcommands;

#endif
