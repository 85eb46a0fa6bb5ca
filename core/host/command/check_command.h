/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack check`: its command line, and how findings are told. */
#ifndef SPICERACK_HOST_CHECK_COMMAND_H
#define SPICERACK_HOST_CHECK_COMMAND_H

#include "../peek/spec.h"

/* The words behind `check`. Returns the exit code. */
int check_command(int argc, char **argv);

/* Its arguments. */
extern const struct cookbook_spec check_words;

#endif
