/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/buf.h"
#include "../../runtime/configtext.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "settingplace.h"

#define VARIABLE_PREFIX "SPICERACK_"

struct settings {
	const struct setting_key *keys;
	size_t key_count;
	struct setting *items;
	size_t count, capacity;
	char *state_dir; /* NULL: there is no home */
};

/* The store */

static const struct setting_key *key_find(const struct settings *settings, const char *path)
{
	for (size_t i = 0; i < settings->key_count; i++)
		if (strcmp(settings->keys[i].path, path) == 0)
			return &settings->keys[i];
	return NULL;
}

/* Whether the table has keys below `path`. */
static bool is_group(const struct settings *settings, const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < settings->key_count; i++)
		if (strncmp(settings->keys[i].path, path, length) == 0 &&
		    settings->keys[i].path[length] == '.')
			return true;
	return false;
}

static struct setting *setting_find(const struct settings *settings, const char *path)
{
	for (size_t i = 0; i < settings->count; i++)
		if (strcmp(settings->items[i].path, path) == 0)
			return &settings->items[i];
	return NULL;
}

/* The setting of that path, made behind the others of its key where it is new. */
static struct setting *setting_at(struct settings *settings, const struct setting_key *key,
				  const char *path)
{
	struct setting *setting = setting_find(settings, path);
	size_t at = settings->count;

	if (setting)
		return setting;
	for (size_t i = 0; i < settings->count; i++)
		if (settings->items[i].key == key)
			at = i + 1;
	settings->items = xgrow(settings->items, settings->count, &settings->capacity,
				sizeof(*settings->items));
	memmove(settings->items + at + 1, settings->items + at,
		(settings->count - at) * sizeof(*settings->items));
	settings->count++;
	settings->items[at] = (struct setting){.key = key, .path = xstrdup(path)};
	return &settings->items[at];
}

static int defaults_fill(const struct settings_context *context, struct settings *settings,
			 struct err *err)
{
	for (size_t i = 0; i < settings->key_count; i++) {
		const struct setting_key *key = &settings->keys[i];
		struct setting *setting = setting_at(settings, key, key->path);

		if (key->initial &&
		    setting_from_text(context, setting, "default", key->initial, err) < 0)
			return -1;
		if (key->initial_from)
			key->initial_from(context, setting);
		if (!setting->origin)
			setting->origin = xstrdup("default");
	}
	return 0;
}

/* Files */

/* One level of a file. `group` is its path and key, NULL at the top; `free_names` a SETTING_LISTS.
 */
static int group_read(const struct settings_context *context, struct settings *settings,
		      const char *file, const config_setting_t *group, const char *group_path,
		      const struct setting_key *free_names, struct err *err)
{
	int count = config_setting_length(group);
	int rc = 0;

	for (int i = 0; i < count && rc == 0; i++) {
		const config_setting_t *value = config_setting_get_elem(group, (unsigned int)i);
		const char *name = config_setting_name(value);
		char *path = group_path ? xasprintf("%s.%s", group_path, name) : xstrdup(name);
		const struct setting_key *key = free_names ? free_names : key_find(settings, path);
		char *where = setting_where(file, value);
		bool below = !free_names &&
			     (key ? key->type == SETTING_LISTS : is_group(settings, path));

		if (!key && !below)
			rc = err_set(err, "%s: unknown key '%s'", where, path);
		else if (below && config_setting_type(value) != CONFIG_TYPE_GROUP)
			rc = setting_wrong_type(where, path, SETTING_LISTS, value, err);
		else if (below)
			rc = group_read(context, settings, file, value, path, key, err);
		else
			rc = setting_from_file(context, setting_at(settings, key, path), file,
					       value, err);
		free(where);
		free(path);
	}
	return rc;
}

/* `required`: the file of -c. Others may be missing. */
static int file_read(const struct settings_context *context, struct settings *settings,
		     const char *file, bool required, struct err *err)
{
	config_t config;
	int rc;

	if (configtext_read(file, &config, err) < 0)
		return errno == ENOENT && !required ? 0 : -1;
	rc = group_read(context, settings, file, config_root_setting(&config), NULL, NULL, err);
	config_destroy(&config);
	return rc;
}

static int is_fragment(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 4 &&
	       strcmp(entry->d_name + length - 4, ".cfg") == 0;
}

/* spicerack.cfg of a directory, then its conf.d. */
static int directory_read(const struct settings_context *context, struct settings *settings,
			  const char *directory, struct err *err)
{
	char *main_file = xasprintf("%s/spicerack.cfg", directory);
	char *fragments = xasprintf("%s/conf.d", directory);
	char shown[PRINTABLE_PATH_SIZE];
	struct dirent **entries = NULL;
	char *path;
	int count, rc;

	rc = file_read(context, settings, main_file, false, err);
	if (rc < 0)
		goto out;
	count = scandir(fragments, &entries, is_fragment, place_byte_order);
	if (count < 0 && errno != ENOENT)
		rc = err_errno(err, "%s: cannot read", printable_path(fragments, shown));
	for (int i = 0; i < count; i++) {
		path = xasprintf("%s/%s", fragments, entries[i]->d_name);
		if (rc == 0)
			rc = file_read(context, settings, path, true, err);
		free(path);
		free(entries[i]);
	}
	free(entries);
out:
	free(main_file);
	free(fragments);
	return rc;
}

static int files_read(const struct settings_context *context, struct settings *settings,
		      struct err *err)
{
	char *own;
	int rc;

	if (context->source->file)
		return file_read(context, settings, context->source->file, true, err);
	if (directory_read(context, settings, context->source->sysconf_dir, err) < 0)
		return -1;
	if (!context->source->user_files)
		return 0;
	own = place_xdg(context, "XDG_CONFIG_HOME", ".config", "spicerack");
	rc = own ? directory_read(context, settings, own, err) : 0;
	free(own);
	return rc;
}

/* Environment */

char *settings_variable(const struct setting_key *key)
{
	char *name = xasprintf(VARIABLE_PREFIX "%s", key->path);

	for (char *at = name; *at; at++)
		*at = *at == '.' ? '_' : (char)toupper((unsigned char)*at);
	return name;
}

static const struct setting_key *key_of_variable(const struct settings *settings,
						 const char *variable)
{
	const struct setting_key *found = NULL;

	for (size_t i = 0; i < settings->key_count && !found; i++) {
		char *name = settings_variable(&settings->keys[i]);

		if (settings->keys[i].type != SETTING_LISTS && strcmp(name, variable) == 0)
			found = &settings->keys[i];
		free(name);
	}
	return found;
}

static int environment_read(const struct settings_context *context, struct settings *settings,
			    struct err *err)
{
	char *const *entry = context->source->environment;
	char shown[PRINTABLE_PATH_SIZE];
	int rc = 0;

	for (; entry && *entry && rc == 0; entry++) {
		size_t length = strcspn(*entry, "=");
		const struct setting_key *key;
		char *name;

		if (strncmp(*entry, VARIABLE_PREFIX, sizeof(VARIABLE_PREFIX) - 1) != 0 ||
		    (*entry)[length] == '\0')
			continue;
		name = xstrndup(*entry, length);
		key = key_of_variable(settings, name);
		if (!key)
			rc = err_set(err, "%s: no such setting of spicerack in the environment",
				     printable_path(name, shown));
		else
			rc = setting_from_text(context, setting_at(settings, key, key->path), name,
					       *entry + length + 1, err);
		free(name);
	}
	return rc;
}

/* All of it */

int settings_read(const struct settings_source *source, struct settings **ret_settings,
		  struct err *err)
{
	struct settings *settings = xcalloc(1, sizeof(*settings));
	struct settings_source filled = *source;
	struct settings_context context = {.source = &filled};
	int rc = -1;

	if (!filled.sysconf_dir)
		filled.sysconf_dir = SPICERACK_SYSCONF_DIR;
	if (!filled.state_dir)
		filled.state_dir = SPICERACK_STATE_DIR;
	if (!filled.log_dir)
		filled.log_dir = SPICERACK_LOG_DIR;
	if (!filled.cookbooks_dir)
		filled.cookbooks_dir = SPICERACK_COOKBOOKS_DIR;
	if (!filled.keys)
		filled.keys = settings_keys(&filled.key_count);
	settings->keys = filled.keys;
	settings->key_count = filled.key_count;
	context.home = place_home(filled.environment);
	settings->state_dir = place_xdg(&context, "XDG_STATE_HOME", ".local/state", "spicerack");
	if (defaults_fill(&context, settings, err) < 0 || files_read(&context, settings, err) < 0 ||
	    environment_read(&context, settings, err) < 0)
		goto out;
	*ret_settings = settings;
	settings = NULL;
	rc = 0;
out:
	free(context.home);
	settings_free(settings);
	return rc;
}

int settings_load(const char *file, struct settings **ret_settings, struct err *err)
{
	struct settings_source source = {
		.file = file,
		.user_files = geteuid() != 0,
		.environment = environ,
	};

	return settings_read(&source, ret_settings, err);
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	for (size_t i = 0; i < settings->count; i++) {
		setting_clear(&settings->items[i]);
		free(settings->items[i].path);
	}
	free(settings->items);
	free(settings->state_dir);
	free(settings);
}

/* Looking up */

static const struct setting *setting_must(const struct settings *settings, const char *path)
{
	const struct setting *setting = setting_find(settings, path);

	if (!setting) {
		fprintf(stderr, "spicerack: no key '%s' in the table of settings\n", path);
		abort();
	}
	return setting;
}

const char *settings_state_dir(const struct settings *settings)
{
	return settings->state_dir;
}

const char *settings_origin(const struct settings *settings, const char *path)
{
	return setting_must(settings, path)->origin;
}

static spk_strings items_of(const struct setting *setting)
{
	return (spk_strings){.items = (const char *const *)setting->items, .count = setting->count};
}

const char *settings_text(const struct settings *settings, const char *path)
{
	return setting_must(settings, path)->text;
}

long long settings_int(const struct settings *settings, const char *path)
{
	return setting_must(settings, path)->number;
}

bool settings_bool(const struct settings *settings, const char *path)
{
	return setting_must(settings, path)->flag;
}

spk_strings settings_strings(const struct settings *settings, const char *path)
{
	return items_of(setting_must(settings, path));
}

int settings_list(const struct settings *settings, const char *path, spk_strings *ret_list,
		  struct err *err)
{
	const struct setting *setting = setting_find(settings, path);
	char shown[PRINTABLE_PATH_SIZE];

	if (!setting || !setting->is_set || !setting_is_list(setting->key))
		return err_set(err, "no list '%s' in the configuration",
			       printable_path(path, shown));
	*ret_list = items_of(setting);
	return 0;
}

const struct setting *settings_all(const struct settings *settings, size_t *ret_count)
{
	*ret_count = settings->count;
	return settings->items;
}
