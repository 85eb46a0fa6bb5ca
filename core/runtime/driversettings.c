/* SPDX-License-Identifier: Apache-2.0 */
#include "driversettings.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "printable.h"

static int refuse_at(const struct driver_settings *settings, unsigned int line, const char *what,
		     struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];

	if (!settings->file)
		return err_set(err, "%s", what);
	return err_set(err, "%s:%u: %s", printable_path(settings->file, shown), line, what);
}

/* A single value as text; NULL for what is none. The caller frees it. */
static char *text_of(const config_setting_t *value)
{
	switch (config_setting_type(value)) {
	case CONFIG_TYPE_STRING:
		return xstrdup(config_setting_get_string(value));
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return xasprintf("%lld", config_setting_get_int64(value));
	case CONFIG_TYPE_FLOAT:
		return xasprintf("%.17g", config_setting_get_float(value));
	case CONFIG_TYPE_BOOL:
		return xstrdup(config_setting_get_bool(value) ? "true" : "false");
	default:
		return NULL;
	}
}

static int add(struct driver_settings *settings, const config_setting_t *member,
	       const config_setting_t *value, struct err *err)
{
	unsigned int line = config_setting_source_line(member);
	char *text = text_of(value), *what;

	if (!text || !printable_is(text, strlen(text))) {
		what = xasprintf(text ? "'%s' holds a control character or is not UTF-8"
				      : "'%s' must be a text, a number, true or false, or a list "
					"of them",
				 config_setting_name(member));
		refuse_at(settings, line, what, err);
		free(what);
		free(text);
		return -1;
	}
	if (settings->count == settings->capacity) {
		settings->capacity = settings->capacity ? 2 * settings->capacity : 8;
		settings->items = xreallocarray(settings->items, settings->capacity,
						sizeof(*settings->items));
		settings->lines = xreallocarray(settings->lines, settings->capacity,
						sizeof(*settings->lines));
	}
	settings->items[settings->count] = (struct spk_driver_setting){
		.name = xstrdup(config_setting_name(member)), .value = text};
	settings->lines[settings->count++] = line;
	return 0;
}

static bool is_list(const config_setting_t *value)
{
	return config_setting_type(value) == CONFIG_TYPE_ARRAY ||
	       config_setting_type(value) == CONFIG_TYPE_LIST;
}

static bool is_named(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

int driver_settings_read(const char *file, const config_setting_t *group, const char *const *but,
			 struct driver_settings *ret, struct err *err)
{
	int rc = 0;

	*ret = (struct driver_settings){.file = file, .line = config_setting_source_line(group)};
	for (int i = 0; i < config_setting_length(group) && rc == 0; i++) {
		const config_setting_t *member = config_setting_get_elem(group, (unsigned int)i);

		if (is_named(config_setting_name(member), but))
			continue;
		if (!is_list(member)) {
			rc = add(ret, member, member, err);
			continue;
		}
		for (int j = 0; j < config_setting_length(member) && rc == 0; j++)
			rc = add(ret, member, config_setting_get_elem(member, (unsigned int)j),
				 err);
	}
	if (rc < 0)
		driver_settings_free(ret);
	return rc;
}

void driver_settings_free(struct driver_settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		free((char *)(uintptr_t)settings->items[i].name);
		free((char *)(uintptr_t)settings->items[i].value);
	}
	free(settings->items);
	free(settings->lines);
	*settings = (struct driver_settings){0};
}

int driver_settings_refuse(const struct driver_settings *settings, const char *reason,
			   struct err *err)
{
	unsigned int line = settings->line;

	for (size_t i = 0; i < settings->count; i++) {
		size_t length = strlen(settings->items[i].name);

		if (reason[0] == '\'' &&
		    strncmp(reason + 1, settings->items[i].name, length) == 0 &&
		    reason[1 + length] == '\'') {
			line = settings->lines[i];
			break;
		}
	}
	return refuse_at(settings, line, reason, err);
}
