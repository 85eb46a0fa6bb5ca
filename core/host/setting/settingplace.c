/* SPDX-License-Identifier: Apache-2.0 */
#include "settingplace.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/mem.h"
#include "settings.h"

static const char *place_variable(char *const *environment, const char *name)
{
	size_t length = strlen(name);

	for (; environment && *environment; environment++)
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
			return *environment + length + 1;
	return NULL;
}

char *place_home(char *const *environment)
{
	const char *home = place_variable(environment, "HOME");

	if (!setting_path_is_usable(home)) {
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
		const struct passwd *entry = getpwuid(geteuid());

		home = entry ? entry->pw_dir : NULL;
	}
	return setting_path_is_usable(home) ? xstrdup(home) : NULL;
}

char *place_xdg(const struct settings_context *context, const char *variable,
		const char *below_home, const char *rest)
{
	const char *base = place_variable(context->source->environment, variable);

	if (setting_path_is_usable(base))
		return xasprintf("%s/%s", base, rest);
	if (!context->home)
		return NULL;
	return xasprintf("%s/%s/%s", context->home, below_home, rest);
}

int place_byte_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}
