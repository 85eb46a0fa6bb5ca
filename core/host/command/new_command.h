/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack new`: a bundle to begin with, or one more cookbook in a bundle. */
#ifndef SPICERACK_HOST_NEW_COMMAND_H
#define SPICERACK_HOST_NEW_COMMAND_H

#include "../peek/spec.h"

/* The words behind `new`; returns the exit code. */
int new_command(int argc, char **argv);

/* Its arguments. */
extern const struct cookbook_spec new_words;

#endif
