/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <libconfig.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/buf.h"
#include "../../runtime/configtext.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"

#define VARIABLE_PREFIX "SPICERACK_"

struct settings {
	const struct setting_key *keys;
	size_t key_count;
	struct setting *items;
	size_t count, capacity;
	char *state_dir; /* NULL: there is no home */
};

static void base_dirs_default(const struct settings_context *context, struct setting *setting);
static void logs_dir_default(const struct settings_context *context, struct setting *setting);
static void config_dir_default(const struct settings_context *context, struct setting *setting);
static void journal_dir_default(const struct settings_context *context, struct setting *setting);
static void locks_dir_default(const struct settings_context *context, struct setting *setting);
static void kv_dir_default(const struct settings_context *context, struct setting *setting);
static void etcdrc_default(const struct settings_context *context, struct setting *setting);

static const struct setting_key host_keys[] = {
	{.path = "cookbooks_base_dirs",
	 .type = SETTING_PATHS,
	 .initial_from = base_dirs_default,
	 .help = "directories whose trees of cookbooks are merged into one"},
	{.path = "logs_base_dir",
	 .type = SETTING_PATH,
	 .initial_from = logs_dir_default,
	 .help = "directory of the cookbooks' log files"},
	{.path = "instance_params.spicerack_config_dir",
	 .type = SETTING_PATH,
	 .initial_from = config_dir_default,
	 .help = "directory of the modules' configuration"},
	{.path = "instance_params.http_proxy",
	 .type = SETTING_STRING,
	 .initial = "",
	 .help = "HTTP proxy as host:port or URL; empty for none"},
	{.path = "instance_params.etcd_config",
	 .type = SETTING_PATH,
	 .help = "file with the parameters of the etcd client, for a store of locks in etcd"},
	{.path = "instance_params.conftool_config",
	 .type = SETTING_PATH,
	 .help = "conftool's configuration (YAML); not set: as conftool has it without one"},
	{.path = "instance_params.conftool_schema",
	 .type = SETTING_PATH,
	 .help = "conftool's schema (YAML) of entities beside node"},
	{.path = "kv.store",
	 .type = SETTING_STRING,
	 .initial = "",
	 .help = "where conftool's objects are, the name of a driver: sqlite (this machine) or "
		 "etcd; empty: that of conftool_config, sqlite without one"},
	{.path = "kv.directory",
	 .type = SETTING_PATH,
	 .initial_from = kv_dir_default,
	 .help = "directory of the store sqlite"},
	{.path = "kv.etcd_api",
	 .type = SETTING_STRING,
	 .initial = "3",
	 .help = "the API of etcd: 3, or 2 to share objects with conftool"},
	{.path = "kv.etcdrc",
	 .type = SETTING_PATH,
	 .initial_from = etcdrc_default,
	 .help = "file of the user's own with parameters of the etcd client; need not exist"},
	{.path = "locks.enabled",
	 .type = SETTING_BOOL,
	 .initial = "true",
	 .help = "take locks; false: no run takes any"},
	{.path = "locks.store",
	 .type = SETTING_STRING,
	 .initial = "sqlite",
	 .help = "where locks are kept, the name of a driver: sqlite (this machine) or etcd"},
	{.path = "locks.directory",
	 .type = SETTING_PATH,
	 .initial_from = locks_dir_default,
	 .help = "directory of the store sqlite"},
	{.path = "locks.wait",
	 .type = SETTING_INT,
	 .initial = "1755",
	 .min = 0,
	 .max = 86400,
	 .help = "how long a run waits for a lock, in seconds"},
	{.path = "locks.etcd_api",
	 .type = SETTING_STRING,
	 .initial = "3",
	 .help = "the API of etcd: 3, or 2 to share locks with the Python host"},
	{.path = "locks.etcdrc",
	 .type = SETTING_PATH,
	 .initial_from = etcdrc_default,
	 .help = "file of the user's own laid over etcd_config; need not exist"},
	{.path = "journal.directory",
	 .type = SETTING_PATH,
	 .initial_from = journal_dir_default,
	 .help = "directory of the journal, a file for each run"},
	{.path = "journal.keep_days",
	 .type = SETTING_INT,
	 .initial = "400",
	 .min = 0,
	 .max = 36500,
	 .help = "how long journals are kept, in days; 0: for ever"},
	{.path = "journal.keep_megabytes",
	 .type = SETTING_INT,
	 .initial = "1024",
	 .min = 0,
	 .max = 1048576,
	 .help = "how large all journals together may be; 0: as large as they get"},
	{.path = "metrics.file",
	 .type = SETTING_PATH,
	 .help = "file for numbers about runs, read by Prometheus's node exporter; not set: none"},
	{.path = "durable",
	 .type = SETTING_BOOL,
	 .initial = "false",
	 .help = "a run goes on when its terminal is closed, and waits there for an operator"},
	{.path = "tcpircbot_host",
	 .type = SETTING_STRING,
	 .initial = "",
	 .help = "host of a relay (tcpircbot) that announcements go to; empty for none"},
	{.path = "tcpircbot_port",
	 .type = SETTING_INT,
	 .initial = "0",
	 .min = 0,
	 .max = 65535,
	 .help = "its port; 0 for none"},
	{.path = "user_input_notifications_enabled",
	 .type = SETTING_BOOL,
	 .initial = "false",
	 .help = "announce that a cookbook waits for an answer"},
	{.path = "irc.server",
	 .type = SETTING_STRING,
	 .initial = "",
	 .help = "IRC server that announcements go to; empty for none"},
	{.path = "irc.port",
	 .type = SETTING_INT,
	 .initial = "6697",
	 .min = 1,
	 .max = 65535,
	 .help = "its port"},
	{.path = "irc.tls",
	 .type = SETTING_BOOL,
	 .initial = "true",
	 .help = "speak TLS with the server, whose certificate and name must be right"},
	{.path = "irc.ca_file",
	 .type = SETTING_PATH,
	 .help = "certificates that may have signed the server's; none: those of the system"},
	{.path = "irc.channel",
	 .type = SETTING_STRING,
	 .initial = "",
	 .help = "the channel to join, as in #operations"},
	{.path = "irc.nick",
	 .type = SETTING_STRING,
	 .initial = "spicerack",
	 .help = "nick on IRC; others like it are taken while it is in use"},
	{.path = "irc.credentials",
	 .type = SETTING_PATH,
	 .help = "file with passwords for the server, NickServ and the channel"},
	{.path = "webhook.url",
	 .type = SETTING_STRING,
	 .initial = "",
	 .help = "URL that events are posted to as JSON; empty for none"},
	{.path = "webhook.ca_file",
	 .type = SETTING_PATH,
	 .help = "certificates that may have signed its server's; none: those of the system"},
	{.path = "webhook.credentials",
	 .type = SETTING_PATH,
	 .help = "file with the header that authorizes us"},
	{.path = "notify.drivers",
	 .type = SETTING_STRINGS,
	 .help = "more drivers that announcements and events go to, by name"},
	{.path = "notify.events",
	 .type = SETTING_STRINGS,
	 .initial = "begin:start:awaiting:end",
	 .help = "events that a webhook is told of"},
	{.path = "notify.log_level",
	 .type = SETTING_STRING,
	 .initial = "none",
	 .help = "and log records: none, or from error, warning, info or debug on"},
	{.path = "notify.awaiting_input",
	 .type = SETTING_INT,
	 .initial = "180",
	 .min = 1,
	 .max = 86400,
	 .help = "after how long a question waits for an answer, in seconds"},
	{.path = "notify.drain",
	 .type = SETTING_INT,
	 .initial = "5",
	 .min = 0,
	 .max = 600,
	 .help = "how long the end of a run waits for what was not sent yet, in seconds"},
	{.path = "sites",
	 .type = SETTING_LISTS,
	 .help = "named lists of strings, for arguments with choices_from"},
};

/* Places */

static const char *environment_find(char *const *environment, const char *name)
{
	size_t length = strlen(name);

	for (; environment && *environment; environment++)
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
			return *environment + length + 1;
	return NULL;
}

static char *home_find(char *const *environment)
{
	const char *home = environment_find(environment, "HOME");

	if (!setting_path_is_usable(home)) {
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
		const struct passwd *entry = getpwuid(geteuid());

		home = entry ? entry->pw_dir : NULL;
	}
	return setting_path_is_usable(home) ? xstrdup(home) : NULL;
}

/*
 * A path below a directory of the XDG specification, which has a relative one
 * ignored; NULL when there is neither the variable nor a home. The caller frees it.
 */
static char *xdg_path(const struct settings_context *context, const char *variable,
		      const char *below_home, const char *rest)
{
	const char *base = environment_find(context->source->environment, variable);

	if (setting_path_is_usable(base))
		return xasprintf("%s/%s", base, rest);
	if (!context->home)
		return NULL;
	return xasprintf("%s/%s/%s", context->home, below_home, rest);
}

static int byte_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Computed defaults */

static void base_dirs_default(const struct settings_context *context, struct setting *setting)
{
	const char *top = context->source->cookbooks_dir;
	struct dirent **entries = NULL;
	int count = scandir(top, &entries, NULL, byte_order);
	char *path;

	for (int i = 0; i < count; i++) {
		path = xasprintf("%s/%s", top, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && setting_path_is_usable(path) &&
		    is_directory(path))
			setting_append(setting, path);
		else
			free(path);
		free(entries[i]);
	}
	free(entries);
	path = xdg_path(context, "XDG_DATA_HOME", ".local/share", "spicerack/cookbooks");
	if (path && is_directory(path))
		setting_append(setting, path);
	else
		free(path);
}

static void config_dir_default(const struct settings_context *context, struct setting *setting)
{
	setting->text = xstrdup(context->source->sysconf_dir);
	setting->is_set = true;
}

/* Whether it is a directory that we may use as we like. */
static bool is_ours(const char *path)
{
	return access(path, R_OK | W_OK | X_OK) == 0;
}

/* Below the machine's directory, where the packager made one and we may write to it; else the
 * user's. */
static void state_default(const struct settings_context *context, struct setting *setting,
			  const char *name)
{
	const char *machine = context->source->state_dir;
	char *below = xasprintf("spicerack/%s", name);

	if (is_ours(machine))
		setting->text = xasprintf("%s/%s", machine, name);
	else
		setting->text = xdg_path(context, "XDG_STATE_HOME", ".local/state", below);
	setting->is_set = setting->text != NULL;
	free(below);
}

static void logs_dir_default(const struct settings_context *context, struct setting *setting)
{
	const char *machine = context->source->log_dir;

	if (is_ours(machine))
		setting->text = xstrdup(machine);
	else
		setting->text = xdg_path(context, "XDG_STATE_HOME", ".local/state",
					 "spicerack/logs");
	setting->is_set = setting->text != NULL;
}

static void locks_dir_default(const struct settings_context *context, struct setting *setting)
{
	state_default(context, setting, "locks");
}

static void kv_dir_default(const struct settings_context *context, struct setting *setting)
{
	state_default(context, setting, "kv");
}

static void journal_dir_default(const struct settings_context *context, struct setting *setting)
{
	state_default(context, setting, "runs");
}

static void etcdrc_default(const struct settings_context *context, struct setting *setting)
{
	setting->text = context->home ? xasprintf("%s/.etcdrc", context->home) : NULL;
	setting->is_set = setting->text != NULL;
}

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
	count = scandir(fragments, &entries, is_fragment, byte_order);
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
	own = xdg_path(context, "XDG_CONFIG_HOME", ".config", "spicerack");
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
	context.home = home_find(filled.environment);
	settings->state_dir = xdg_path(&context, "XDG_STATE_HOME", ".local/state", "spicerack");
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

const struct setting_key *settings_keys(size_t *ret_count)
{
	*ret_count = sizeof(host_keys) / sizeof(host_keys[0]);
	return host_keys;
}
