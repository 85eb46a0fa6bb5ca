/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration of modules of the library, which need not be there. */
#ifndef SPICERACK_MODULES_MODULECONFIG_H
#define SPICERACK_MODULES_MODULECONFIG_H

#include <spicerack/config.h>

#include "configtree.h"

/* As spk_module_config(), and NULL when there is no such file. */
const struct spk_config *module_config_find(struct spk *spk, const char *module);

/* What is asked about a tree; `file` is only named. */
const struct spk_config *config_of_tree(struct spk *spk, const char *file,
					const struct config_node *root);

/*
 * The configuration below a member of the top, whatever characters are in its name; NULL when it is
 * not there. Raises `config.type` when it is no group.
 */
const struct spk_config *config_below(const struct spk_config *config, const char *name);

#endif
