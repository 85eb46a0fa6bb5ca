/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack hosts`: the hosts of a query. */
#ifndef SPICERACK_HOST_HOSTS_COMMAND_H
#define SPICERACK_HOST_HOSTS_COMMAND_H

/* The words behind `hosts`. Returns the exit code. */
int hosts_command(int argc, char **argv);

#endif
