/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack locks`: who holds what, and the operator's hand in it. */
#ifndef SPICERACK_HOST_LOCKS_COMMAND_H
#define SPICERACK_HOST_LOCKS_COMMAND_H

#include "subcommand.h"

extern const struct subcommands locks_subcommands;

#endif
