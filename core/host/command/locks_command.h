/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack locks`: who holds what, and the operator's hand in it. */
#ifndef SPICERACK_HOST_LOCKS_COMMAND_H
#define SPICERACK_HOST_LOCKS_COMMAND_H

/* `argv` are the words behind `locks`. Returns the exit code. */
int locks_command(int argc, char **argv);

#endif
