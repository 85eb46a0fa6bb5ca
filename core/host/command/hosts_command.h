/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack hosts`: the hosts of a query. */
#ifndef SPICERACK_HOST_HOSTS_COMMAND_H
#define SPICERACK_HOST_HOSTS_COMMAND_H

#include "../peek/spec.h"

/* The words behind `hosts`. Returns the exit code. */
int hosts_command(int argc, char **argv);

/* Its arguments. */
extern const struct cookbook_spec hosts_words;

#endif
