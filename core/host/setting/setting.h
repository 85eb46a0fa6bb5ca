/* SPDX-License-Identifier: Apache-2.0 */
/* One setting: its row in the table, its value, and how a value is taken from text or a file. */
#ifndef SPICERACK_HOST_SETTING_H
#define SPICERACK_HOST_SETTING_H

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>

#include "../../runtime/err.h"

enum setting_type {
	SETTING_STRING,
	SETTING_PATH, /* absolute, `~` expanded */
	SETTING_INT,
	SETTING_BOOL,
	SETTING_STRINGS, /* not empty */
	SETTING_PATHS,   /* not empty */
	SETTING_LISTS,   /* a group of lists of strings with free names */
};

struct setting;
struct settings_context;

/* One row of the table. Keys of one group stand together. */
struct setting_key {
	const char *path;
	const char *help;
	/* The default as the environment would give it, or a function that fills it in. NULL: none.
	 */
	const char *initial;
	void (*initial_from)(const struct settings_context *context, struct setting *setting);
	long long min, max; /* of an int */
	enum setting_type type;
	bool secret; /* a string that is shown as asterisks */
};

struct setting {
	const struct setting_key *key;
	char *path;   /* the key's, or GROUP.NAME for a member of a SETTING_LISTS */
	char *origin; /* "default", "FILE:LINE" or the name of an environment variable */
	bool is_set;
	char *text; /* strings and paths */
	long long number;
	bool flag;
	char **items; /* lists */
	size_t count;
};

/* What a value may need to know of its surroundings. */
struct settings_context {
	const struct settings_source *source;
	char *home; /* NULL: unknown */
};

/* Back to unset; path and key stay. */
void setting_clear(struct setting *setting);
/* Takes `item`. */
void setting_append(struct setting *setting, char *item);
bool setting_is_list(const struct setting_key *key);
/* Absolute, printable and not too long. NULL is not. */
bool setting_path_is_usable(const char *path);

/* A value as the environment and the table give it; lists are separated by colons. `where` becomes
 * its origin. */
MUST_CHECK int setting_from_text(const struct settings_context *context, struct setting *setting,
				 const char *where, const char *text, struct err *err);
MUST_CHECK int setting_from_file(const struct settings_context *context, struct setting *setting,
				 const char *file, const config_setting_t *value, struct err *err);

/* `FILE:LINE` of a value, printable. The caller frees it. */
char *setting_where(const char *file, const config_setting_t *value);
/* "'path' must be a list of strings, not an integer". Returns -1. */
int setting_wrong_type(const char *where, const char *path, enum setting_type wanted,
		       const config_setting_t *value, struct err *err);

#endif
