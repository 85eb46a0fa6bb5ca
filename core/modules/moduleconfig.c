/* SPDX-License-Identifier: Apache-2.0 */
#include "moduleconfig.h"

#include <spicerack/cookbook.h>

const struct spk_config *module_config_find(struct spk *spk, const char *module)
{
	const char *file = spk_format(spk, "%s/%s/config.cfg", spk_config_dir(spk), module);

	return spk_file_exists(spk, file) ? spk_module_config(spk, module) : NULL;
}

static bool is_known(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (spk_streq(*names, name))
			return true;
	return false;
}

void module_config_expect(struct spk *spk, const struct spk_config *config, const char *module,
			  const char *path, const char *const *names)
{
	spk_strings found = spk_config_names(config, path);

	for (size_t i = 0; i < found.count; i++)
		if (!is_known(found.items[i], names))
			spk_raise(spk, "config.type", NULL,
				  "%s/%s/config.cfg: unknown key '%s%s%s'", spk_config_dir(spk),
				  module, path, *path ? "." : "", found.items[i]);
}
