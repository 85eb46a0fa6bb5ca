/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack kv`: the objects of conftool as they are in their store. */
#ifndef SPICERACK_HOST_KV_COMMAND_H
#define SPICERACK_HOST_KV_COMMAND_H

#include "subcommand.h"

extern const struct subcommands kv_subcommands;

#endif
