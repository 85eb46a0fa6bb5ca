/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the host's settings, and the defaults that are computed. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/mem.h"
#include "settingplace.h"
#include "settings.h"

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

const struct setting_key *settings_keys(size_t *ret_count)
{
	*ret_count = sizeof(host_keys) / sizeof(host_keys[0]);
	return host_keys;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void base_dirs_default(const struct settings_context *context, struct setting *setting)
{
	const char *top = context->source->cookbooks_dir;
	struct dirent **entries = NULL;
	int count = scandir(top, &entries, NULL, place_byte_order);
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
	path = place_xdg(context, "XDG_DATA_HOME", ".local/share", "spicerack/cookbooks");
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
		setting->text = place_xdg(context, "XDG_STATE_HOME", ".local/state", below);
	setting->is_set = setting->text != NULL;
	free(below);
}

static void logs_dir_default(const struct settings_context *context, struct setting *setting)
{
	const char *machine = context->source->log_dir;

	if (is_ours(machine))
		setting->text = xstrdup(machine);
	else
		setting->text = place_xdg(context, "XDG_STATE_HOME", ".local/state",
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
