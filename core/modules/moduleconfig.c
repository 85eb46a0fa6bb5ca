/* SPDX-License-Identifier: Apache-2.0 */
#include "moduleconfig.h"

#include <spicerack/cookbook.h>

const struct spk_config *module_config_find(struct spk *spk, const char *module)
{
	const char *file = spk_format(spk, "%s/%s/config.cfg", spk_config_dir(spk), module);

	return spk_file_exists(spk, file) ? spk_module_config(spk, module) : NULL;
}
