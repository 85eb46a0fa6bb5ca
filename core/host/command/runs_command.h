/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack runs`: what was run, how it ended, and what is owed. */
#ifndef SPICERACK_HOST_RUNS_COMMAND_H
#define SPICERACK_HOST_RUNS_COMMAND_H

#include "subcommand.h"

extern const struct subcommands runs_subcommands;

#endif
