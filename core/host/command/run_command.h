/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack run` and `spicerack remote`: runs of cookbooks of the host's own. */
#ifndef SPICERACK_HOST_RUN_COMMAND_H
#define SPICERACK_HOST_RUN_COMMAND_H

/* The words behind the name of the command. Each returns the exit code. */
int run_command(int argc, char **argv);
int remote_command(int argc, char **argv);

#endif
