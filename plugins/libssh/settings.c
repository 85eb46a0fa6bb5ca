/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <string.h>

#include "../base/memory.h"
#include "../base/option.h"
#include "../base/text.h"
#include "pattern.h"

struct options {
	const char *config, *unchecked_hosts;
};

static const struct option table[] = {
	{"config", OPTION_TEXT, offsetof(struct options, config), 0, 0},
	{"unchecked_hosts", OPTION_TEXT, offsetof(struct options, unchecked_hosts), 0, 0},
};

#define ROWS (sizeof(table) / sizeof(table[0]))

int settings_read(const struct spk_driver_setting *given, size_t count, struct settings *settings,
		  struct spk_reason_buffer *reason)
{
	struct options options = {0};

	*settings = (struct settings){0};
	if (options_read(table, ROWS, given, count, &options, reason) < 0)
		return -1;
	if (options.config && options.config[0] != '/' && strcmp(options.config, "none") != 0) {
		reason_set(reason, "'config' must be an absolute path, or \"none\"");
		return -1;
	}
	settings->config = options.config ? memory_copy(options.config) : NULL;
	settings->unchecked_hosts = options.unchecked_hosts ? memory_copy(options.unchecked_hosts)
							    : NULL;
	return 0;
}

void settings_free(struct settings *settings)
{
	memory_free(settings->config);
	memory_free(settings->unchecked_hosts);
	*settings = (struct settings){0};
}

bool settings_is_unchecked(const struct settings *settings, const char *host)
{
	const char *list = settings->unchecked_hosts;

	return list && pattern_list_match(host, list, strlen(list), true) == 1;
}
