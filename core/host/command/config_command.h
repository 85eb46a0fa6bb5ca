/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack config`: the effective configuration, and where each value came from. */
#ifndef SPICERACK_HOST_CONFIG_COMMAND_H
#define SPICERACK_HOST_CONFIG_COMMAND_H

#include <stdbool.h>

#include "../../runtime/buf.h"
#include "../setting/settings.h"

/*
 * Runs the command with the words after `config`. Returns the exit code: 0, 1 for a configuration
 * that cannot be read, 2 for usage.
 */
int config_command(int argc, char **argv);

/*
 * Appends the settings in libconfig's syntax; read back with -c they are the same. With `origin`
 * each line has a comment that tells where it came from.
 */
void config_render(const struct settings *settings, bool origin, struct buf *out);

#endif
