/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack config`: the effective configuration, and where each value came from. */
#ifndef SPICERACK_HOST_CONFIG_COMMAND_H
#define SPICERACK_HOST_CONFIG_COMMAND_H

#include <stdbool.h>

#include "../../runtime/buf.h"
#include "../setting/settings.h"
#include "subcommand.h"

extern const struct subcommands config_subcommands;

/*
 * Appends the settings in libconfig's syntax; read back with -c they are the same. With `origin`
 * each line has a comment that tells where it came from.
 */
void config_render(const struct settings *settings, bool origin, struct buf *out);

#endif
