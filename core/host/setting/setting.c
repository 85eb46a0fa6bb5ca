/* SPDX-License-Identifier: Apache-2.0 */
#include "setting.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"
#include "../../runtime/printable.h"

static const char *const type_names[] = {
	[SETTING_STRING] = "a string",
	[SETTING_PATH] = "an absolute path",
	[SETTING_INT] = "an integer",
	[SETTING_BOOL] = "true or false",
	[SETTING_STRINGS] = "a list of strings",
	[SETTING_PATHS] = "a list of absolute paths",
	[SETTING_LISTS] = "a group",
};

bool setting_path_is_usable(const char *path)
{
	return path && path[0] == '/' && strlen(path) < PATH_MAX &&
	       printable_is(path, strlen(path));
}

void setting_clear(struct setting *setting)
{
	for (size_t i = 0; i < setting->count; i++)
		free(setting->items[i]);
	free(setting->items);
	free(setting->text);
	free(setting->origin);
	setting->items = NULL;
	setting->count = 0;
	setting->text = NULL;
	setting->origin = NULL;
	setting->is_set = false;
}

/* Takes `item`. */
void setting_append(struct setting *setting, char *item)
{
	setting->items = xreallocarray(setting->items, setting->count + 1, sizeof(char *));
	setting->items[setting->count++] = item;
	setting->is_set = true;
}

bool setting_is_list(const struct setting_key *key)
{
	return key->type == SETTING_STRINGS || key->type == SETTING_PATHS ||
	       key->type == SETTING_LISTS;
}

/* Values, with `where` (FILE:LINE or a variable) for messages */

static int wrong_value(const struct setting *setting, const char *where, const char *wanted,
		       const char *text, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];

	return err_set(err, "%s: '%s' must be %s, not '%s'", where, setting->path, wanted,
		       printable_path(text, shown));
}

/* The text as it is kept: checked, and expanded where it is a path. */
static int text_convert(const struct settings_context *context, const struct setting *setting,
			const char *where, const char *text, char **ret_text, struct err *err)
{
	bool is_path = setting->key->type == SETTING_PATH || setting->key->type == SETTING_PATHS;
	char *path;

	if (!printable_is(text, strlen(text)))
		return err_set(err, "%s: '%s' holds a control character or is not UTF-8", where,
			       setting->path);
	if (!is_path) {
		*ret_text = xstrdup(text);
		return 0;
	}
	if (text[0] == '~' && (text[1] == '/' || text[1] == '\0')) {
		if (!context->home)
			return err_set(err,
				       "%s: '%s' starts with '~', but you have no home directory",
				       where, setting->path);
		path = xasprintf("%s%s", context->home, text + 1);
	} else {
		path = xstrdup(text);
	}
	if (path[0] != '/') {
		free(path);
		return wrong_value(setting, where, type_names[SETTING_PATH], text, err);
	}
	if (strlen(path) >= PATH_MAX) {
		free(path);
		return err_set(err, "%s: '%s' is longer than a path may be", where, setting->path);
	}
	*ret_text = path;
	return 0;
}

static int number_set(struct setting *setting, const char *where, long long number, struct err *err)
{
	const struct setting_key *key = setting->key;

	if (number < key->min || number > key->max)
		return err_set(err, "%s: '%s' must be between %lld and %lld, not %lld", where,
			       setting->path, key->min, key->max, number);
	setting->number = number;
	return 0;
}

/* Splits at colons; an empty element is refused as the path or string that it is. */
static int items_set(const struct settings_context *context, struct setting *setting,
		     const char *where, const char *text, struct err *err)
{
	const char *end;
	char *piece, *item = NULL;
	int rc = 0;

	if (text[0] == '\0')
		return err_set(err, "%s: '%s' must not be empty", where, setting->path);
	for (; rc == 0; text = end + 1) {
		end = strchrnul(text, ':');
		piece = xstrndup(text, (size_t)(end - text));
		rc = text_convert(context, setting, where, piece, &item, err);
		free(piece);
		if (rc == 0)
			setting_append(setting, item);
		if (*end == '\0')
			break;
	}
	return rc;
}

/* A value as the environment and the table give it. */
int setting_from_text(const struct settings_context *context, struct setting *setting,
		      const char *where, const char *text, struct err *err)
{
	const struct setting_key *key = setting->key;
	long long number;
	char *end;
	int rc = 0;

	setting_clear(setting);
	switch (key->type) {
	case SETTING_STRING:
	case SETTING_PATH:
		rc = text_convert(context, setting, where, text, &setting->text, err);
		break;
	case SETTING_INT:
		errno = 0;
		number = strtoll(text, &end, 10);
		if (end == text || *end != '\0' || isspace((unsigned char)text[0]) || errno)
			rc = wrong_value(setting, where, type_names[key->type], text, err);
		else
			rc = number_set(setting, where, number, err);
		break;
	case SETTING_BOOL:
		setting->flag = strcasecmp(text, "true") == 0;
		if (!setting->flag && strcasecmp(text, "false") != 0)
			rc = wrong_value(setting, where, type_names[key->type], text, err);
		break;
	case SETTING_STRINGS:
	case SETTING_PATHS:
	case SETTING_LISTS:
		rc = items_set(context, setting, where, text, err);
		break;
	}
	if (rc == 0) {
		setting->origin = xstrdup(where);
		setting->is_set = true;
	}
	return rc;
}

/* Values of files */

static const char *libconfig_type(const config_setting_t *value)
{
	switch (config_setting_type(value)) {
	case CONFIG_TYPE_GROUP:
		return "a group";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "an integer";
	case CONFIG_TYPE_FLOAT:
		return "a floating-point number";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	default:
		return "a list";
	}
}

char *setting_where(const char *file, const config_setting_t *value)
{
	char shown[PRINTABLE_PATH_SIZE];

	return xasprintf("%s:%u", printable_path(file, shown), config_setting_source_line(value));
}

int setting_wrong_type(const char *where, const char *path, enum setting_type wanted,
		       const config_setting_t *value, struct err *err)
{
	return err_set(err, "%s: '%s' must be %s, not %s", where, path, type_names[wanted],
		       libconfig_type(value));
}

/* Messages name the line of the key: libconfig does not know that of an element for sure. */
static int items_from_file(const struct settings_context *context, struct setting *setting,
			   const char *where, const config_setting_t *value, struct err *err)
{
	enum setting_type type = setting->key->type == SETTING_LISTS ? SETTING_STRINGS
								     : setting->key->type;
	int count = config_setting_length(value);
	int rc = 0;

	for (int i = 0; i < count && rc == 0; i++) {
		const config_setting_t *element = config_setting_get_elem(value, (unsigned int)i);
		const char *text = config_setting_get_string(element);
		char *item = NULL;

		if (!text)
			rc = err_set(err, "%s: '%s' must be %s, but holds %s", where, setting->path,
				     type_names[type], libconfig_type(element));
		else
			rc = text_convert(context, setting, where, text, &item, err);
		if (rc == 0)
			setting_append(setting, item);
	}
	return rc;
}

int setting_from_file(const struct settings_context *context, struct setting *setting,
		      const char *file, const config_setting_t *value, struct err *err)
{
	enum setting_type type = setting->key->type;
	int found = config_setting_type(value);
	char *where = setting_where(file, value);
	int rc = -1;

	setting_clear(setting);
	if (type == SETTING_LISTS)
		type = SETTING_STRINGS;
	switch (type) {
	case SETTING_STRING:
	case SETTING_PATH:
		if (found == CONFIG_TYPE_STRING)
			rc = text_convert(context, setting, where, config_setting_get_string(value),
					  &setting->text, err);
		else
			setting_wrong_type(where, setting->path, type, value, err);
		break;
	case SETTING_INT:
		if (found == CONFIG_TYPE_INT || found == CONFIG_TYPE_INT64)
			rc = number_set(setting, where, config_setting_get_int64(value), err);
		else
			setting_wrong_type(where, setting->path, type, value, err);
		break;
	case SETTING_BOOL:
		if (found == CONFIG_TYPE_BOOL)
			rc = 0;
		else
			setting_wrong_type(where, setting->path, type, value, err);
		setting->flag = found == CONFIG_TYPE_BOOL && config_setting_get_bool(value);
		break;
	default:
		if (found != CONFIG_TYPE_ARRAY && found != CONFIG_TYPE_LIST)
			setting_wrong_type(where, setting->path, type, value, err);
		else if (config_setting_length(value) == 0)
			err_set(err, "%s: '%s' must not be empty", where, setting->path);
		else
			rc = items_from_file(context, setting, where, value, err);
		break;
	}
	if (rc == 0) {
		setting->origin = where;
		where = NULL;
		setting->is_set = true;
	}
	free(where);
	return rc;
}
