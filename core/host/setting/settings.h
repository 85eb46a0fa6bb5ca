/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of the host: defaults, files and environment laid over each
 * other by one table of keys. A key is named by its dotted path, as in
 * `instance_params.http_proxy`. Every value knows where it came from.
 */
#ifndef SPICERACK_HOST_SETTINGS_H
#define SPICERACK_HOST_SETTINGS_H

#include <spicerack/value.h>
#include <stdbool.h>
#include <stddef.h>

#include "../../runtime/err.h"
#include "setting.h"

struct settings;

/* Where the configuration comes from; what is NULL is as it was installed. */
struct settings_source {
	const char *file;          /* -c FILE: this file instead of all others */
	const char *sysconf_dir;   /* with spicerack.cfg and conf.d */
	const char *cookbooks_dir; /* whose directories are the default trees */
	const char *state_dir;     /* of the machine, with its store of locks; may not exist */
	const char *log_dir;       /* of the machine; may not exist */
	bool user_files;           /* read the user's own files too: anybody but root */
	char *const *environment;  /* NULL: empty */
	const struct setting_key *keys;
	size_t key_count;
};

/*
 * Reads the configuration of this process. `file` is that of `-c`, or NULL. On
 * failure the reason is the one line for stderr: `FILE:LINE: MESSAGE`,
 * `FILE: MESSAGE` or `VARIABLE: MESSAGE`; the host then exits with 1.
 */
MUST_CHECK int settings_load(const char *file, struct settings **ret_settings, struct err *err);
MUST_CHECK int settings_read(const struct settings_source *source, struct settings **ret_settings,
			     struct err *err);
void settings_free(struct settings *settings);

/*
 * The value of a key of the table of that type; another path is a programming
 * error and aborts. Texts are NULL, lists empty when the key is not set. All
 * belong to `settings`.
 */
const char *settings_text(const struct settings *settings, const char *path);
long long settings_int(const struct settings *settings, const char *path);
bool settings_bool(const struct settings *settings, const char *path);
spk_strings settings_strings(const struct settings *settings, const char *path);

/* Where files of this user's are kept between runs, ~/.local/state/spicerack; NULL: no home. */
const char *settings_state_dir(const struct settings *settings);

/* Where the value of a key comes from: "default", FILE:LINE or the name of a variable. */
const char *settings_origin(const struct settings *settings, const char *path);

/*
 * A list named by somebody else, as in `.choices_from = "sites.core"`: a key of a list type or a
 * member of a group of lists. It belongs to `settings`.
 */
MUST_CHECK int settings_list(const struct settings *settings, const char *path,
			     spk_strings *ret_list, struct err *err);

/* All settings in the order of the table, members behind their group. */
const struct setting *settings_all(const struct settings *settings, size_t *ret_count);

/* The table of the host. */
const struct setting_key *settings_keys(size_t *ret_count);

/* The environment variable of a key: SPICERACK_ and the path in upper case. The caller frees it. */
char *settings_variable(const struct setting_key *key);

#endif
