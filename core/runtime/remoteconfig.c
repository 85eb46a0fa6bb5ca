/* SPDX-License-Identifier: Apache-2.0 */
#include "remoteconfig.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configtext.h"
#include "mem.h"
#include "printable.h"

enum remote_type { REMOTE_TEXT, REMOTE_INT, REMOTE_LIST, REMOTE_SETTINGS };

static const char *const type_names[] = {
	[REMOTE_TEXT] = "a text",
	[REMOTE_INT] = "a whole number",
	[REMOTE_LIST] = "a list",
	[REMOTE_SETTINGS] = "a group",
};

/*
 * Returns at once, and says so when it may not reboot; where systemd does not run, nobody is told.
 */
#define REBOOT_COMMAND                                                                             \
	"if [ -d /run/systemd/system ]; then systemd-run --quiet --collect --on-active=2 "         \
	"--timer-property=AccuracySec=100ms systemctl reboot; else { sleep 2; shutdown -r now; } " \
	"</dev/null >/dev/null 2>&1 & fi"

static const struct remote_key {
	const char *name;
	enum remote_type type;
	const char *text; /* the default of a text */
	long long number; /* the default of a number */
	long long min, max;
} keys[] = {
	{.name = "default_backend", .type = REMOTE_TEXT, .text = "D"},
	{.name = "backends", .type = REMOTE_LIST},
	{.name = "transport", .type = REMOTE_TEXT, .text = "libssh"},
	{.name = "fanout", .type = REMOTE_INT, .number = 64, .min = 1, .max = 10000},
	{.name = "reboot_command", .type = REMOTE_TEXT, .text = REBOOT_COMMAND},
	{.name = "libssh", .type = REMOTE_SETTINGS},
	{.name = "openssh", .type = REMOTE_SETTINGS},
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

struct remote_config {
	char *directory, *file;
	config_t parsed; /* empty where there is no file */
	struct driver_settings settings[KEY_COUNT];
};

static const config_setting_t *find(const struct remote_config *config, const char *key)
{
	return config_setting_get_member(config_root_setting(&config->parsed), key);
}

static const struct remote_key *key_of(const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

/* A row of the table; anything else is a mistake of ours. */
static const struct remote_key *key_must(const char *name, enum remote_type type)
{
	const struct remote_key *key = key_of(name);

	if (!key || key->type != type) {
		fprintf(stderr, "spicerack: no key '%s' of that type in the table\n", name);
		abort();
	}
	return key;
}

/* ---- reading ---- */

int remote_config_refuse(const struct remote_config *config, const char *key, struct err *err,
			 const char *format, ...)
{
	const config_setting_t *setting = find(config, key);
	char shown[PRINTABLE_PATH_SIZE], *what;
	va_list args;

	va_start(args, format);
	what = xvasprintf(format, args);
	va_end(args);
	err_set(err, "%s:%u: %s", printable_path(config->file, shown),
		setting ? config_setting_source_line(setting) : 0, what);
	free(what);
	return -1;
}

static bool has_type(const config_setting_t *value, enum remote_type type)
{
	switch (config_setting_type(value)) {
	case CONFIG_TYPE_STRING:
		return type == REMOTE_TEXT;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return type == REMOTE_INT;
	case CONFIG_TYPE_ARRAY:
	case CONFIG_TYPE_LIST:
		return type == REMOTE_LIST;
	case CONFIG_TYPE_GROUP:
		return type == REMOTE_SETTINGS;
	default:
		return false;
	}
}

static int read_value(struct remote_config *config, const config_setting_t *value, struct err *err)
{
	static const char *const all[] = {NULL};
	const char *name = config_setting_name(value);
	const struct remote_key *key = key_of(name);
	const char *text;
	long long number;

	if (!key)
		return remote_config_refuse(config, name, err, "unknown key '%s'", name);
	if (!has_type(value, key->type))
		return remote_config_refuse(config, name, err, "'%s' must be %s", name,
					    type_names[key->type]);
	text = config_setting_get_string(value);
	if (text && !printable_is(text, strlen(text)))
		return remote_config_refuse(config, name, err,
					    "'%s' holds a control character or is not UTF-8", name);
	if (key->type == REMOTE_SETTINGS)
		return driver_settings_read(config->file, value, all, &config->settings[key - keys],
					    err);
	number = key->type == REMOTE_INT ? config_setting_get_int64(value) : key->min;
	if (number < key->min || number > key->max)
		return remote_config_refuse(config, name, err,
					    "'%s' must be between %lld and %lld, not %lld", name,
					    key->min, key->max, number);
	return 0;
}

int remote_config_read(const char *directory, struct remote_config **ret, struct err *err)
{
	struct remote_config *config = xcalloc(1, sizeof(*config));
	const config_setting_t *root;
	int rc = 0;

	config->directory = xasprintf("%s/remote", directory);
	config->file = xasprintf("%s/config.cfg", config->directory);
	if (configtext_read(config->file, &config->parsed, err) < 0) {
		if (errno != ENOENT)
			rc = -1;
		config_init(&config->parsed);
	}
	root = config_root_setting(&config->parsed);
	for (int i = 0; i < config_setting_length(root) && rc == 0; i++)
		rc = read_value(config, config_setting_get_elem(root, (unsigned int)i), err);
	if (rc == 0)
		*ret = config;
	else
		remote_config_free(config);
	return rc;
}

void remote_config_free(struct remote_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < KEY_COUNT; i++)
		driver_settings_free(&config->settings[i]);
	config_destroy(&config->parsed);
	free(config->directory);
	free(config->file);
	free(config);
}

/* ---- looking up ---- */

const char *remote_config_directory(const struct remote_config *config)
{
	return config->directory;
}

const char *remote_config_file(const struct remote_config *config)
{
	return config->file;
}

const char *remote_config_text(const struct remote_config *config, const char *key)
{
	const struct remote_key *row = key_must(key, REMOTE_TEXT);
	const config_setting_t *setting = find(config, key);

	return setting ? config_setting_get_string(setting) : row->text;
}

long long remote_config_int(const struct remote_config *config, const char *key)
{
	const struct remote_key *row = key_must(key, REMOTE_INT);
	const config_setting_t *setting = find(config, key);

	return setting ? config_setting_get_int64(setting) : row->number;
}

const config_setting_t *remote_config_list(const struct remote_config *config, const char *key)
{
	key_must(key, REMOTE_LIST);
	return find(config, key);
}

const struct driver_settings *remote_config_settings(const struct remote_config *config,
						     const char *key)
{
	return &config->settings[key_must(key, REMOTE_SETTINGS) - keys];
}
