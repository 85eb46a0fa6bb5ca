/* SPDX-License-Identifier: Apache-2.0 */
#include "target.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/memory.h"
#include "../base/text.h"
#include "pattern.h"

#define SECOND_NS INT64_C(1000000000)
#define ALIVE_INTERVAL_NS (15 * SECOND_NS)
#define ALIVE_COUNT 3
#define SSH_PORT 22

struct finding {
	const struct sshconfig *config;
	const struct config_self *self;
	const struct target_name *asked;
	struct config_selection selection;
	struct target *target;
	struct end *end;
};

bool target_is_host_name(const char *name)
{
	if (!*name || *name == '-' || strlen(name) > 255)
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' || strchr("'`\"$\\;&<>|(){}", *name))
			return false;
	return true;
}

static const struct config_line *line_of(const struct finding *finding, enum option option)
{
	return finding->selection.first[option];
}

/* The first word of the line; NULL: there is none. */
static const char *word_of(const struct finding *finding, enum option option)
{
	const struct config_line *line = line_of(finding, option);

	return line ? line->words[0] : NULL;
}

static int refuse(struct finding *finding, const struct config_line *line, const char *what)
{
	return end_set(finding->end, SPK_TRANSPORT_FAILED, "%s:%u: %s: '%s'", line->file,
		       line->number, what, line->words[0]);
}

/* ---- values ---- */

static bool read_number(const char *text, long most, int *ret_number)
{
	char *end;
	long number;

	if (*text < '0' || *text > '9')
		return false;
	number = strtol(text, &end, 10);
	if (*end || number > most)
		return false;
	*ret_number = (int)number;
	return true;
}

/* "90", "1m30s", "2h", in s, m, h, d, w. */
static bool read_time(const char *text, int64_t *ret_ns)
{
	static const char units[] = "smhdw";
	static const int64_t seconds[] = {1, 60, 3600, 86400, 604800};
	int64_t sum = 0;

	if (!*text)
		return false;
	while (*text) {
		char *end;
		long number;
		const char *unit;

		if (*text < '0' || *text > '9')
			return false;
		number = strtol(text, &end, 10);
		if (number > INT_MAX)
			return false;
		unit = *end ? strchr(units, *end | ' ') : units;
		if (!unit)
			return false;
		sum += number * seconds[unit - units];
		if (sum > INT_MAX)
			return false;
		text = *end ? end + 1 : end;
	}
	*ret_ns = sum * SECOND_NS;
	return true;
}

static bool is_yes(const char *text)
{
	return text && (strcasecmp(text, "yes") == 0 || strcasecmp(text, "true") == 0);
}

/* -1: neither yes nor no. */
static int read_flag(struct finding *finding, enum option option, bool otherwise, bool *ret_flag)
{
	const char *text = word_of(finding, option);

	*ret_flag = text ? is_yes(text) : otherwise;
	if (text && !is_yes(text) && strcasecmp(text, "no") != 0 && strcasecmp(text, "false") != 0)
		return refuse(finding, line_of(finding, option), "neither yes nor no");
	return 0;
}

static int read_time_of(struct finding *finding, enum option option, int64_t *time)
{
	const char *text = word_of(finding, option);

	if (text && !read_time(text, time))
		return refuse(finding, line_of(finding, option), "not a time");
	return 0;
}

static int read_number_of(struct finding *finding, enum option option, const char *what, int least,
			  long most, int *number)
{
	const char *text = word_of(finding, option);

	if (text && (!read_number(text, most, number) || *number < least))
		return refuse(finding, line_of(finding, option), what);
	return 0;
}

static void take_list(const struct finding *finding, enum option option, struct target_list *list)
{
	list->text = word_of(finding, option);
	list->line = line_of(finding, option);
}

/* ---- what stands for something else ---- */

/* What %`token` stands for; NULL: nothing known. Written into `number` where it is one. */
static const char *token_value(const struct finding *finding, char token, char number[static 16])
{
	const struct target *target = finding->target;

	switch (token) {
	case '%':
		return "%";
	case 'd':
		return finding->self->home;
	case 'h':
		return target->host;
	case 'i':
		snprintf(number, 16, "%u", (unsigned)finding->self->uid);
		return number;
	case 'k':
		return word_of(finding, OPTION_HOST_KEY_ALIAS)
			       ? word_of(finding, OPTION_HOST_KEY_ALIAS)
			       : target->name;
	case 'L':
		return finding->self->machine_short;
	case 'l':
		return finding->self->machine;
	case 'n':
		return target->name;
	case 'p':
		snprintf(number, 16, "%d", target->port);
		return number;
	case 'r':
		return target->user;
	case 'u':
		return finding->self->user;
	default:
		return NULL;
	}
}

/* "${NAME}" at *at: its value; NULL: there is none. */
static const char *variable_value(const char **at)
{
	size_t length = strcspn(*at + 2, "}");
	char name[128];

	if (length >= sizeof(name) || !(*at)[2 + length])
		return NULL;
	memcpy(name, *at + 2, length);
	name[length] = '\0';
	*at += 2 + length;
	return getenv(name);
}

/* Expands %tokens, and ${VARIABLES} with `variables`. NULL: one of them is not known. */
static char *expand(const struct finding *finding, const char *text, bool variables)
{
	struct text out = {0};
	char number[16];

	text_puts(&out, "");
	for (const char *at = text; *at; at++) {
		const char *value = NULL;

		if (*at == '%')
			value = token_value(finding, *++at, number);
		else if (variables && at[0] == '$' && at[1] == '{')
			value = variable_value(&at);
		else {
			text_add(&out, at, 1);
			continue;
		}
		if (!value) {
			text_free(&out);
			return NULL;
		}
		text_puts(&out, value);
	}
	return out.bytes;
}

/* "~/x" and "~user/x". NULL: there is no such user. */
static char *expand_tilde(const struct finding *finding, const char *path)
{
	struct text out = {0};
	const char *home = finding->self->home;
	size_t length = strcspn(path, "/");
	char user[64];

	if (*path != '~')
		return memory_copy(path);
	if (length > 1) {
		const struct passwd *entry;

		snprintf(user, sizeof(user), "%.*s", (int)(length - 1), path + 1);
		entry = getpwnam(user);
		home = entry ? entry->pw_dir : NULL;
	}
	if (!home)
		return NULL;
	text_puts(&out, home);
	text_puts(&out, path + length);
	return out.bytes;
}

/* A path of the configuration; -1 with the end. */
static int expand_path(struct finding *finding, const struct config_line *line, const char *path,
		       char **ret_path)
{
	char *from_home = expand_tilde(finding, path);

	*ret_path = from_home ? expand(finding, from_home, true) : NULL;
	memory_free(from_home);
	if (*ret_path)
		return 0;
	return end_refuse(finding->end, line->file, line->number,
			  "'%.100s' has a part that is not known here", path);
}

static char *home_path(const struct finding *finding, const char *name)
{
	struct text out = {0};

	text_puts(&out, finding->self->home);
	text_puts(&out, "/.ssh/");
	text_puts(&out, name);
	return out.bytes;
}

/* ---- the parts ---- */

static int find_place(struct finding *finding)
{
	struct target *target = finding->target;
	const struct target_name *asked = finding->asked;
	const char *host = word_of(finding, OPTION_HOSTNAME);
	const char *user = word_of(finding, OPTION_USER);
	const char *family = word_of(finding, OPTION_ADDRESS_FAMILY);

	target->host = host ? sshconfig_expand_host(host, target->name) : memory_copy(target->name);
	if (!target->host || !target_is_host_name(target->host))
		return refuse(finding, line_of(finding, OPTION_HOSTNAME), "not a host name");
	pattern_lower(target->host);
	if (asked->user)
		user = asked->user;
	target->user = memory_copy(user ? user : finding->self->user);
	target->port = SSH_PORT;
	if (read_number_of(finding, OPTION_PORT, "not a port", 1, 65535, &target->port) < 0)
		return -1;
	if (asked->port)
		target->port = asked->port;
	target->family = AF_UNSPEC;
	if (family && strcasecmp(family, "inet") == 0)
		target->family = AF_INET;
	else if (family && strcasecmp(family, "inet6") == 0)
		target->family = AF_INET6;
	else if (family && strcasecmp(family, "any") != 0)
		return refuse(finding, line_of(finding, OPTION_ADDRESS_FAMILY),
			      "not a family of addresses");
	target->source = word_of(finding, OPTION_BIND_ADDRESS);
	return read_flag(finding, OPTION_TCP_KEEP_ALIVE, true, &target->keep_alive);
}

static int find_times(struct finding *finding)
{
	struct target *target = finding->target;

	target->connect_timeout_ns = INT64_MAX;
	target->alive_interval_ns = ALIVE_INTERVAL_NS;
	target->alive_count = ALIVE_COUNT;
	if (read_time_of(finding, OPTION_CONNECT_TIMEOUT, &target->connect_timeout_ns) < 0 ||
	    read_time_of(finding, OPTION_SERVER_ALIVE_INTERVAL, &target->alive_interval_ns) < 0)
		return -1;
	if (target->connect_timeout_ns == 0)
		target->connect_timeout_ns = INT64_MAX;
	return read_number_of(finding, OPTION_SERVER_ALIVE_COUNT_MAX, "not a number", 0, INT_MAX,
			      &target->alive_count);
}

static int find_algorithms(struct finding *finding)
{
	struct target *target = finding->target;

	take_list(finding, OPTION_CIPHERS, &target->ciphers);
	take_list(finding, OPTION_KEX_ALGORITHMS, &target->kex);
	take_list(finding, OPTION_MACS, &target->macs);
	take_list(finding, OPTION_HOST_KEY_ALGORITHMS, &target->host_keys);
	take_list(finding, OPTION_PUBKEY_ACCEPTED_ALGORITHMS, &target->public_keys);
	if (read_number_of(finding, OPTION_REQUIRED_RSA_SIZE, "not a number", 0, INT_MAX,
			   &target->rsa_size) < 0)
		return -1;
	return read_flag(finding, OPTION_COMPRESSION, false, &target->compression);
}

/* The files of one option, or the defaults, of the user's or the system's directory. */
static int find_known_files(struct finding *finding, enum option option,
			    const char *const *defaults)
{
	const struct config_line *line = line_of(finding, option);
	struct target *target = finding->target;
	char *path;

	for (; !line && *defaults; defaults++)
		words_add(&target->known_hosts, **defaults == '/' ? memory_copy(*defaults)
								  : home_path(finding, *defaults));
	for (size_t i = 0; line && i < line->count; i++) {
		if (strcasecmp(line->words[i], "none") == 0)
			continue;
		if (expand_path(finding, line, line->words[i], &path) < 0)
			return -1;
		words_add(&target->known_hosts, path);
	}
	return 0;
}

static int find_known_hosts(struct finding *finding)
{
	static const char *const user[] = {"known_hosts", "known_hosts2", NULL};
	static const char *const global[] = {"/etc/ssh/ssh_known_hosts",
					     "/etc/ssh/ssh_known_hosts2", NULL};
	const char *alias = word_of(finding, OPTION_HOST_KEY_ALIAS);
	const char *strict = word_of(finding, OPTION_STRICT_HOST_KEY_CHECKING);
	struct target *target = finding->target;
	char name[300];

	if (strict && (strcasecmp(strict, "no") == 0 || strcasecmp(strict, "off") == 0 ||
		       strcasecmp(strict, "accept-new") == 0))
		target->strict = line_of(finding, OPTION_STRICT_HOST_KEY_CHECKING);
	if (alias || target->port == SSH_PORT) {
		target->known_as = memory_copy(alias ? alias : target->host);
	} else {
		snprintf(name, sizeof(name), "[%s]:%d", target->host, target->port);
		target->known_as = memory_copy(name);
		target->known_as_other = memory_copy(target->host);
	}
	pattern_lower(target->known_as);
	if (find_known_files(finding, OPTION_USER_KNOWN_HOSTS_FILE, user) < 0)
		return -1;
	return find_known_files(finding, OPTION_GLOBAL_KNOWN_HOSTS_FILE, global);
}

static bool has(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], word) == 0)
			return true;
	return false;
}

static int find_paths(struct finding *finding, const struct config_lines *lines,
		      struct words *paths)
{
	char *path;

	for (size_t i = 0; i < lines->count; i++) {
		if (strcasecmp(lines->lines[i]->words[0], "none") == 0)
			continue;
		if (expand_path(finding, lines->lines[i], lines->lines[i]->words[0], &path) < 0)
			return -1;
		if (has(paths, path))
			memory_free(path);
		else
			words_add(paths, path);
	}
	return 0;
}

static int find_agent(struct finding *finding)
{
	const struct config_line *line = line_of(finding, OPTION_IDENTITY_AGENT);
	const char *text = line ? line->words[0] : "SSH_AUTH_SOCK";
	const char *value = NULL;

	if (strcasecmp(text, "none") == 0)
		return 0;
	if (strcmp(text, "SSH_AUTH_SOCK") == 0)
		value = getenv("SSH_AUTH_SOCK");
	else if (text[0] == '$' && text[1] != '{')
		value = getenv(text + 1);
	else
		return expand_path(finding, line, text, &finding->target->agent);
	if (value && *value)
		finding->target->agent = memory_copy(value);
	return 0;
}

static int find_identities(struct finding *finding)
{
	static const char *const defaults[] = {"id_rsa", "id_ecdsa", "id_ed25519"};
	struct target *target = finding->target;
	const struct config_selection *selection = &finding->selection;

	target->identities_given = selection->identity_files.count > 0;
	for (size_t i = 0; !target->identities_given && i < sizeof(defaults) / sizeof(*defaults);
	     i++)
		words_add(&target->identities, home_path(finding, defaults[i]));
	if (find_paths(finding, &selection->identity_files, &target->identities) < 0 ||
	    find_paths(finding, &selection->certificate_files, &target->certificates) < 0 ||
	    read_flag(finding, OPTION_IDENTITIES_ONLY, false, &target->identities_only) < 0 ||
	    find_agent(finding) < 0)
		return -1;
	if (is_yes(word_of(finding, OPTION_GSSAPI_AUTHENTICATION)))
		target->gssapi = line_of(finding, OPTION_GSSAPI_AUTHENTICATION);
	return 0;
}

/* The patterns of SendEnv, without those that a later "-PATTERN" takes away. */
static size_t sent_patterns(const struct config_lines *lines, const char **patterns, size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < lines->count; i++) {
		for (size_t j = 0; j < lines->lines[i]->count; j++) {
			const char *word = lines->lines[i]->words[j];
			size_t kept = 0;

			if (*word != '-') {
				if (count < most)
					patterns[count++] = word;
				continue;
			}
			for (size_t k = 0; k < count; k++)
				if (!pattern_matches(patterns[k], word + 1))
					patterns[kept++] = patterns[k];
			count = kept;
		}
	}
	return count;
}

static void find_environment(struct finding *finding)
{
	const struct config_line *set = line_of(finding, OPTION_SET_ENV);
	struct words *environment = &finding->target->environment;
	const char *patterns[CONFIG_LINES_MAX];
	size_t count = sent_patterns(&finding->selection.send_env, patterns, CONFIG_LINES_MAX);

	for (char **entry = environ; count && *entry; entry++) {
		char *name = memory_copy_n(*entry, strcspn(*entry, "="));
		bool sent = false;

		for (size_t i = 0; i < count; i++)
			sent = sent || pattern_matches(name, patterns[i]);
		if (sent)
			words_add(environment, memory_copy(*entry));
		memory_free(name);
	}
	for (size_t i = 0; set && i < set->count; i++)
		if (strchr(set->words[i], '='))
			words_add(environment, memory_copy(set->words[i]));
}

/* "user@host:port", "[address]:port", "ssh://..."; false: it is none. Changes `text`. */
static bool read_hop(char *text, struct target *target)
{
	char *at, *host, *port = NULL;

	if (strncasecmp(text, "ssh://", 6) == 0) {
		text += 6;
		text[strcspn(text, "/")] = '\0';
	}
	at = strrchr(text, '@');
	host = at ? at + 1 : text;
	if (at)
		*at = '\0';
	if (at && !*text)
		return false;
	if (*host == '[') {
		char *end = strchr(++host, ']');

		if (!end || (end[1] && end[1] != ':'))
			return false;
		port = end[1] ? end + 2 : NULL;
		*end = '\0';
	} else if (strchr(host, ':')) {
		port = strchr(host, ':') + 1;
		port[-1] = '\0';
	}
	if (!target_is_host_name(host) ||
	    (port && (!read_number(port, 65535, &target->jump_port) || !target->jump_port)))
		return false;
	target->jump_host = memory_copy(host);
	target->jump_user = at ? memory_copy(text) : NULL;
	return true;
}

static int find_jump(struct finding *finding, const char *list, const struct config_line *line)
{
	struct target *target = finding->target;
	char *copy = memory_copy_n(list, strcspn(list, "#")), *comma;
	bool good;

	for (size_t length = strlen(copy); length > 0 && strchr(" \t", copy[length - 1]);)
		copy[--length] = '\0';
	comma = strrchr(copy, ',');
	good = read_hop(comma ? comma + 1 : copy, target);
	if (comma) {
		*comma = '\0';
		target->jump_before = memory_copy(copy);
	}
	memory_free(copy);
	if (good)
		return 0;
	if (line)
		return refuse(finding, line, "not a jump host");
	return end_set(finding->end, SPK_TRANSPORT_FAILED, "'%s' is not a list of jump hosts",
		       list);
}

static int find_way(struct finding *finding)
{
	const struct config_line *command = line_of(finding, OPTION_PROXY_COMMAND);
	const struct config_line *jump = line_of(finding, OPTION_PROXY_JUMP);

	if (finding->asked->jump)
		return find_jump(finding, finding->asked->jump, NULL);
	if (jump && strcasecmp(jump->rest, "none") != 0)
		return find_jump(finding, jump->rest, jump);
	if (!command || strcasecmp(command->rest, "none") == 0)
		return 0;
	finding->target->proxy_command = expand(finding, command->rest, false);
	if (finding->target->proxy_command)
		return 0;
	return end_refuse(finding->end, command->file, command->number,
			  "the proxy command has a %%-sequence that is not known here");
}

static int find_all(struct finding *finding)
{
	if (find_place(finding) < 0 || find_times(finding) < 0 || find_algorithms(finding) < 0 ||
	    find_known_hosts(finding) < 0 || find_identities(finding) < 0)
		return -1;
	find_environment(finding);
	return find_way(finding);
}

int target_find(const struct sshconfig *config, const struct config_self *self,
		const struct target_name *name, struct target **ret_target, struct end *end)
{
	struct finding *finding;
	int rc = -1;

	if (!target_is_host_name(name->host))
		return end_set(end, SPK_TRANSPORT_FAILED, "'%s' is not a host name", name->host);
	finding = memory_new(1, sizeof(*finding));
	*finding = (struct finding){.config = config, .self = self, .asked = name, .end = end};
	finding->target = memory_new(1, sizeof(*finding->target));
	finding->target->name = memory_copy(name->host);
	if (sshconfig_select(config, name->host, name->user, &finding->selection, end) == 0)
		rc = find_all(finding);
	if (rc == 0)
		*ret_target = finding->target;
	else
		target_free(finding->target);
	memory_free(finding);
	return rc;
}

void target_free(struct target *target)
{
	if (!target)
		return;
	words_free(&target->known_hosts);
	words_free(&target->identities);
	words_free(&target->certificates);
	words_free(&target->environment);
	memory_free(target->name);
	memory_free(target->host);
	memory_free(target->user);
	memory_free(target->known_as);
	memory_free(target->known_as_other);
	memory_free(target->agent);
	memory_free(target->proxy_command);
	memory_free(target->jump_host);
	memory_free(target->jump_user);
	memory_free(target->jump_before);
	memory_free(target);
}
