/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "../base/memory.h"
#include "../base/text.h"

#define FILE_LIMIT 65536
#define DOMAIN_MAX 200
#define PATH_SHOWN 120
#define ANSWER_LIMIT ((size_t)16 * 1024 * 1024)

/* One file being read. */
struct reading {
	struct settings *settings;
	const char *path;
	yaml_document_t document;
	const char *key; /* the one at hand */
	bool secret;
	struct spk_reason_buffer *reason;
};

/* The end of a long path says more than its beginning. */
static const char *shown(const char *path)
{
	size_t length = strlen(path);

	return length > PATH_SHOWN ? path + length - PATH_SHOWN : path;
}

/* Says `PATH:LINE: KEY WRONG`. Returns -1. */
static int refuse(struct reading *reading, const yaml_node_t *node, const char *wrong)
{
	reason_set(reading->reason, "%s:%zu: '%.40s' %s", shown(reading->path),
		   node->start_mark.line + 1, reading->key, wrong);
	return -1;
}

static bool is_null(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	return !*text || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0;
}

/* The text of a scalar, NULL where there is none or a NUL in it. */
static const char *scalar(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE || strlen(text) != node->data.scalar.length)
		return NULL;
	return text;
}

static int set_text(struct reading *reading, const yaml_node_t *node, char **member)
{
	const char *text = scalar(node);

	if (!text || !*text)
		return refuse(reading, node, "must be a text");
	memory_free(*member);
	*member = memory_copy(text);
	return 0;
}

static int set_bool(struct reading *reading, const yaml_node_t *node, bool *member)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
	const char *text = scalar(node);

	for (size_t i = 0; text && i < sizeof(words) / sizeof(*words); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*member = i % 2;
			return 0;
		}
	}
	return refuse(reading, node, "must be true or false");
}

static int set_number(struct reading *reading, const yaml_node_t *node, uint64_t most,
		      uint64_t *ret_number)
{
	const char *text = scalar(node);

	if (!text || !parse_number(text, most, ret_number) || !*ret_number)
		return refuse(reading, node, "must be a whole number in its range");
	return 0;
}

static yaml_node_t *item_of(struct reading *reading, const yaml_node_t *list, size_t index)
{
	return yaml_document_get_node(&reading->document, list->data.sequence.items.start[index]);
}

/* The number of items of a list, 0 for anything else. */
static size_t items_of(const yaml_node_t *node)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return 0;
	return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

static int add_host(struct reading *reading, const yaml_node_t *name, const yaml_node_t *port)
{
	const char *text = scalar(name);
	uint64_t number = 0;

	if (port && set_number(reading, port, 65535, &number) < 0)
		return -1;
	if (!text || !host_name_ok(text))
		return refuse(reading, name, "must be the name or address of a host");
	if (!hosts_add(&reading->settings->hosts, text, (unsigned)number))
		return refuse(reading, name, "lists too many hosts");
	return 0;
}

/* A text, or a list of texts and of lists of a text and a port. */
static int set_host(struct reading *reading, const yaml_node_t *node)
{
	size_t count = items_of(node);

	hosts_clear(&reading->settings->hosts);
	if (node->type == YAML_SCALAR_NODE)
		return add_host(reading, node, NULL);
	if (!count)
		return refuse(reading, node, "must be a host, or a list of [HOST, PORT]");
	for (size_t i = 0; i < count; i++) {
		yaml_node_t *item = item_of(reading, node, i);
		size_t parts = items_of(item);
		int rc;

		if (parts == 2)
			rc = add_host(reading, item_of(reading, item, 0),
				      item_of(reading, item, 1));
		else
			rc = add_host(reading, item, NULL);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int set_port(struct reading *reading, const yaml_node_t *node)
{
	uint64_t number;

	if (set_number(reading, node, 65535, &number) < 0)
		return -1;
	reading->settings->port = (unsigned)number;
	return 0;
}

static int set_protocol(struct reading *reading, const yaml_node_t *node)
{
	const char *text = scalar(node);

	if (!text || (strcmp(text, "http") != 0 && strcmp(text, "https") != 0))
		return refuse(reading, node, "must be http or https");
	reading->settings->https = strcmp(text, "https") == 0;
	return 0;
}

/* A file with certificate and key, or a list of the two. */
static int set_cert(struct reading *reading, const yaml_node_t *node)
{
	struct settings *settings = reading->settings;

	memory_free(settings->key);
	settings->key = NULL;
	if (items_of(node) != 2)
		return set_text(reading, node, &settings->cert);
	if (set_text(reading, item_of(reading, node, 0), &settings->cert) < 0)
		return -1;
	return set_text(reading, item_of(reading, node, 1), &settings->key);
}

static int set_ca_cert(struct reading *reading, const yaml_node_t *node)
{
	return set_text(reading, node, &reading->settings->ca);
}

static int set_username(struct reading *reading, const yaml_node_t *node)
{
	return set_text(reading, node, &reading->settings->username);
}

static int set_password(struct reading *reading, const yaml_node_t *node)
{
	reading->secret = true;
	return set_text(reading, node, &reading->settings->password);
}

static int set_version_prefix(struct reading *reading, const yaml_node_t *node)
{
	const char *text = scalar(node);

	if (!text || *text != '/' || text[strcspn(text, " ?#%\r\n\t")])
		return refuse(reading, node, "must be a path such as /v2");
	return set_text(reading, node, &reading->settings->version_prefix);
}

static int set_read_timeout(struct reading *reading, const yaml_node_t *node)
{
	uint64_t number;

	if (set_number(reading, node, 3600, &number) < 0)
		return -1;
	reading->settings->read_timeout_ns = (int64_t)number * NS_PER_SECOND;
	return 0;
}

static int set_allow_redirect(struct reading *reading, const yaml_node_t *node)
{
	return set_bool(reading, node, &reading->settings->redirect);
}

static int set_allow_reconnect(struct reading *reading, const yaml_node_t *node)
{
	reading->settings->reconnect_given = true;
	return set_bool(reading, node, &reading->settings->reconnect);
}

static int set_use_proxies(struct reading *reading, const yaml_node_t *node)
{
	return set_bool(reading, node, &reading->settings->proxies);
}

static int set_expected_cluster_id(struct reading *reading, const yaml_node_t *node)
{
	const char *text = scalar(node);
	char *end = NULL;

	if (!text || !isxdigit((unsigned char)*text) || strlen(text) > 16)
		return refuse(reading, node, "must be the id of a cluster in hexadecimal");
	reading->settings->cluster = strtoull(text, &end, 16);
	if (*end || !reading->settings->cluster)
		return refuse(reading, node, "must be the id of a cluster in hexadecimal");
	return 0;
}

static int set_srv_domain(struct reading *reading, const yaml_node_t *node)
{
	const char *text = scalar(node);
	char *domain;

	if (!text || !host_name_ok(text) || strchr(text, ':') || *text == '.' ||
	    strstr(text, "..") || strlen(text) > DOMAIN_MAX)
		return refuse(reading, node, "must be the name of a domain");
	if (set_text(reading, node, &reading->settings->srv_domain) < 0)
		return -1;
	domain = reading->settings->srv_domain;
	if (domain[strlen(domain) - 1] == '.')
		domain[strlen(domain) - 1] = '\0';
	return 0;
}

/* Of the reference's client alone: known, and of no meaning here. */
static int set_nothing(struct reading *reading, const yaml_node_t *node)
{
	return 0;
}

static const struct key {
	const char *name;
	int (*set)(struct reading *reading, const yaml_node_t *node);
} keys[] = {
	{"host", set_host},
	{"port", set_port},
	{"srv_domain", set_srv_domain},
	{"version_prefix", set_version_prefix},
	{"read_timeout", set_read_timeout},
	{"allow_redirect", set_allow_redirect},
	{"protocol", set_protocol},
	{"cert", set_cert},
	{"ca_cert", set_ca_cert},
	{"username", set_username},
	{"password", set_password},
	{"allow_reconnect", set_allow_reconnect},
	{"use_proxies", set_use_proxies},
	{"expected_cluster_id", set_expected_cluster_id},
	{"per_host_pool_size", set_nothing},
	{"lock_prefix", set_nothing},
};

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; name && i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	return NULL;
}

static int read_root(struct reading *reading, yaml_node_t *root)
{
	const struct key *seen[sizeof(keys) / sizeof(*keys)];
	size_t count = 0;

	reading->key = "the file";
	if (is_null(root))
		return 0;
	if (root->type != YAML_MAPPING_NODE)
		return refuse(reading, root, "must be keys and values");
	for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
	     pair < root->data.mapping.pairs.top; pair++) {
		yaml_node_t *name = yaml_document_get_node(&reading->document, pair->key);
		yaml_node_t *value = yaml_document_get_node(&reading->document, pair->value);
		const struct key *key = find_key(scalar(name));

		reading->key = scalar(name) ? scalar(name) : "?";
		if (!key)
			return refuse(reading, name, "is no key of etcd's client");
		for (size_t i = 0; i < count; i++) {
			if (seen[i] == key)
				return refuse(reading, name, "is given twice");
		}
		seen[count++] = key;
		if (!is_null(value) && key->set(reading, value) < 0)
			return -1;
	}
	return 0;
}

static void wipe_document(yaml_document_t *document)
{
	for (yaml_node_t *node = document->nodes.start; node < document->nodes.top; node++) {
		if (node->type == YAML_SCALAR_NODE)
			explicit_bzero(node->data.scalar.value, node->data.scalar.length);
	}
	yaml_document_delete(document);
}

/* What libyaml says of a syntax error may quote nothing of the file: only its own words. */
static int refuse_syntax(const char *path, const yaml_parser_t *parser,
			 struct spk_reason_buffer *reason)
{
	reason_set(reason, "%s:%zu: %s", shown(path), parser->problem_mark.line + 1,
		   parser->problem ? parser->problem : "not YAML");
	return -1;
}

int settings_read_text(const char *path, const char *text, size_t length, struct settings *settings,
		       bool *ret_secret, struct spk_reason_buffer *reason)
{
	struct reading reading = {.settings = settings, .path = path, .reason = reason};
	yaml_document_t more;
	yaml_parser_t parser;
	yaml_node_t *root;
	int rc = 0;

	if (!yaml_parser_initialize(&parser)) {
		reason_set(reason, "out of memory");
		return -1;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	if (!yaml_parser_load(&parser, &reading.document)) {
		rc = refuse_syntax(path, &parser, reason);
		goto out;
	}
	root = yaml_document_get_root_node(&reading.document);
	if (root)
		rc = read_root(&reading, root);
	wipe_document(&reading.document);
	if (rc < 0 || !root)
		goto out;
	if (!yaml_parser_load(&parser, &more)) {
		rc = refuse_syntax(path, &parser, reason);
		goto out;
	}
	if (yaml_document_get_root_node(&more)) {
		reason_set(reason, "%s:%zu: there is more than one document", shown(path),
			   more.start_mark.line + 1);
		rc = -1;
	}
	wipe_document(&more);
out:
	if (parser.raw_buffer.start)
		explicit_bzero(parser.raw_buffer.start,
			       (size_t)(parser.raw_buffer.end - parser.raw_buffer.start));
	if (parser.buffer.start)
		explicit_bzero(parser.buffer.start,
			       (size_t)(parser.buffer.end - parser.buffer.start));
	yaml_parser_delete(&parser);
	*ret_secret = reading.secret;
	return rc;
}

/* Others cannot have written the file. */
static int check_writers(const char *path, const struct stat *st, struct spk_reason_buffer *reason)
{
	bool private_group = st->st_gid == 0 ||
			     (st->st_gid == getegid() && st->st_gid == st->st_uid);

	if (!S_ISREG(st->st_mode))
		reason_set(reason, "%s: not a regular file", shown(path));
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		reason_set(reason, "%s: not trusted, owned by uid %u, neither root nor you",
			   shown(path), (unsigned)st->st_uid);
	else if ((st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && !private_group))
		reason_set(reason, "%s: not trusted, others may write to it", shown(path));
	else
		return 0;
	return -1;
}

static int read_descriptor(int fd, const char *path, struct text *text,
			   struct spk_reason_buffer *reason)
{
	char chunk[4096];
	ssize_t got;

	while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			reason_set(reason, "%s: cannot read: %s", shown(path), strerror(errno));
			break;
		}
		text_add(text, chunk, (size_t)got);
		if (text->length > FILE_LIMIT) {
			reason_set(reason, "%s: longer than %d bytes", shown(path), FILE_LIMIT);
			got = -1;
			break;
		}
	}
	explicit_bzero(chunk, sizeof(chunk));
	return got < 0 ? -1 : 0;
}

int settings_read_file(const char *path, bool optional, struct settings *settings,
		       struct spk_reason_buffer *reason)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct text text = {0};
	bool secret = false;
	struct stat st;
	int rc = -1;

	if (fd < 0) {
		if (optional && errno == ENOENT)
			return 0;
		reason_set(reason, "%s: cannot open: %s", shown(path), strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) < 0) {
		reason_set(reason, "%s: cannot examine: %s", shown(path), strerror(errno));
		goto out;
	}
	if (check_writers(path, &st, reason) < 0 || read_descriptor(fd, path, &text, reason) < 0)
		goto out;
	if (settings_read_text(path, text.bytes ? text.bytes : "", text.length, settings, &secret,
			       reason) < 0)
		goto out;
	if (secret && (st.st_mode & S_IROTH)) {
		reason_set(reason, "%s: holds a password and others may read it: chmod o-r",
			   shown(path));
		goto out;
	}
	rc = 0;
out:
	close(fd);
	text_free(&text);
	return rc;
}

int settings_end(struct settings *settings, struct spk_reason_buffer *reason)
{
	const char *key = settings->key ? settings->key : settings->cert;
	struct stat st;

	if (!settings->hosts.count && !settings->srv_domain)
		hosts_add(&settings->hosts, "127.0.0.1", 0);
	if (!settings->username != !settings->password) {
		reason_set(reason, "etcd: 'username' and 'password' are given together");
		return -1;
	}
	if (settings->hosts.count > 1 && settings->reconnect_given && !settings->reconnect) {
		reason_set(reason, "etcd: several hosts, and 'allow_reconnect' is false");
		return -1;
	}
	if ((settings->ca || settings->cert) && !settings->https) {
		reason_set(reason, "etcd: certificates are given, and 'protocol' is not https");
		return -1;
	}
	if (key && (stat(key, &st) < 0 || (st.st_mode & S_IROTH))) {
		reason_set(reason, "%s: %s", shown(key),
			   stat(key, &st) < 0 ? strerror(errno)
					      : "a private key that others may read: chmod o-r");
		return -1;
	}
	return 0;
}

static const char *find_given(const struct spk_lock_setting *given, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(given[i].name, name) == 0)
			return given[i].value;
	}
	return NULL;
}

int settings_begin(const char *api, struct settings *settings, struct spk_reason_buffer *reason)
{
	*settings = (struct settings){.api = 3, .redirect = true, .answer_limit = ANSWER_LIMIT};
	if (api && strcmp(api, "2") != 0 && strcmp(api, "3") != 0) {
		reason_set(reason, "there is no API '%.20s' of etcd here: 2 or 3", api);
		return -1;
	}
	if (api && *api == '2')
		settings->api = 2;
	settings->port = settings->api == 2 ? 4001 : 2379;
	settings->lease_ns = (settings->api == 2 ? 60 : 30) * NS_PER_SECOND;
	settings->read_timeout_ns = 60 * NS_PER_SECOND;
	settings->version_prefix = memory_copy("/v2");
	return 0;
}

int settings_read(const struct spk_lock_setting *given, size_t count, struct settings *settings,
		  struct spk_reason_buffer *reason)
{
	const char *config = find_given(given, count, "config");
	const char *user_config = find_given(given, count, "user_config");
	const char *lease = find_given(given, count, "lease");
	uint64_t seconds;

	if (settings_begin(find_given(given, count, "api"), settings, reason) < 0)
		return -1;
	if (lease) {
		if (!parse_number(lease, 3600, &seconds) || seconds < 3) {
			reason_set(reason, "'lease' must be 3 to 3600 seconds");
			return -1;
		}
		settings->lease_ns = (int64_t)seconds * NS_PER_SECOND;
	}
	if (config && settings_read_file(config, false, settings, reason) < 0)
		return -1;
	if (user_config && settings_read_file(user_config, true, settings, reason) < 0)
		return -1;
	return settings_end(settings, reason);
}

void settings_free(struct settings *settings)
{
	hosts_free(&settings->hosts);
	memory_free(settings->srv_domain);
	memory_free(settings->ca);
	memory_free(settings->cert);
	memory_free(settings->key);
	memory_free(settings->username);
	memory_free(settings->password);
	memory_free(settings->version_prefix);
	explicit_bzero(settings, sizeof(*settings));
}
