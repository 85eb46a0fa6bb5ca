/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that a PuppetDB knows, by their facts and resources. */
#include <string.h>

#include "../base/json.h"
#include "../base/memory.h"
#include "../base/option.h"
#include "answer.h"
#include "query.h"
#include "server.h"

SPK_API extern const struct spk_inventory_driver spk_driver;

struct puppetdb {
	struct server *server;
	unsigned int version;
};

static const struct option table[] = {
	{"scheme", OPTION_TEXT, offsetof(struct server_settings, scheme), 0, 0},
	{"host", OPTION_TEXT, offsetof(struct server_settings, host), 0, 0},
	{"port", OPTION_NUMBER, offsetof(struct server_settings, port), 1, 65535},
	{"api_version", OPTION_NUMBER, offsetof(struct server_settings, version), 3, 4},
	{"timeout", OPTION_NUMBER, offsetof(struct server_settings, timeout), 1, 3600},
	{"ssl_verify", OPTION_TEXT, offsetof(struct server_settings, verify), 0, 0},
	{"ssl_client_cert", OPTION_TEXT, offsetof(struct server_settings, cert), 0, 0},
	{"ssl_client_key", OPTION_TEXT, offsetof(struct server_settings, key), 0, 0},
};

#define ROWS (sizeof(table) / sizeof(table[0]))

static int check(const struct server_settings *settings, struct spk_reason_buffer *reason)
{
	if (strcmp(settings->scheme, "https") != 0 && strcmp(settings->scheme, "http") != 0)
		reason_set(reason, "'scheme' must be 'https' or 'http', not '%s'",
			   settings->scheme);
	else if (strpbrk(settings->host, "/@?#\\ \t%"))
		reason_set(reason, "'host' must be the name or the address of a host, not '%s'",
			   settings->host);
	else if (settings->verify[0] != '/' && strcmp(settings->verify, "true") != 0 &&
		 strcmp(settings->verify, "false") != 0)
		reason_set(reason, "'ssl_verify' must be true, false or an absolute path, not '%s'",
			   settings->verify);
	else if (settings->cert && settings->cert[0] != '/')
		reason_set(reason, "'ssl_client_cert' must be an absolute path, not '%s'",
			   settings->cert);
	else if (settings->key && (settings->key[0] != '/' || !settings->cert))
		reason_set(reason, "'ssl_client_key' must be an absolute path, with an "
				   "'ssl_client_cert'");
	else
		return 0;
	return -1;
}

static void *open_puppetdb(const struct spk_driver_setting *given, size_t count,
			   struct spk_reason_buffer *reason)
{
	struct server_settings settings = {
		.scheme = "https",
		.host = "localhost",
		.port = 443,
		.version = 4,
		.timeout = 30,
		.verify = "true",
	};
	struct puppetdb *puppetdb;
	struct server *server;

	json_init();
	if (options_read(table, ROWS, given, count, &settings, reason) < 0 ||
	    check(&settings, reason) < 0)
		return NULL;
	server = server_new(&settings, reason);
	if (!server)
		return NULL;
	puppetdb = memory_new(1, sizeof(*puppetdb));
	puppetdb->server = server;
	puppetdb->version = (unsigned int)settings.version;
	return puppetdb;
}

static void close_puppetdb(void *data)
{
	struct puppetdb *puppetdb = data;

	server_free(puppetdb->server);
	memory_free(puppetdb);
}

/* Of a class on ten thousand hosts only their names are wanted, each once. */
static void narrow(struct query *query)
{
	struct text all = {0};

	text_printf(&all, "[\"extract\",\"certname\",%s,[\"group_by\",\"certname\"]]",
		    query->ast.bytes);
	text_free(&query->ast);
	query->ast = all;
}

static enum spk_inventory_status find(void *data, const char *text, size_t length,
				      spk_inventory_visitor *visitor, void *visitor_data,
				      struct spk_inventory_call *call)
{
	struct puppetdb *puppetdb = data;
	struct query query;
	enum spk_inventory_status status = query_translate(text, length, puppetdb->version, &query,
							   call);
	const char *endpoint = query.resources ? "resources" : "nodes";
	struct text out = {0};

	if (status != SPK_INVENTORY_OK)
		return status;
	if (puppetdb->version > 3)
		narrow(&query);
	if (server_query(puppetdb->server, endpoint, query.ast.bytes, &out, call) < 0 ||
	    answer_read(&out, puppetdb->version == 3 && !query.resources ? "name" : "certname",
			visitor, visitor_data, &call->reason) < 0)
		status = SPK_INVENTORY_FAILED;
	text_free(&out);
	query_free(&query);
	return status;
}

const struct spk_inventory_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_inventory_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "inventory",
		   .name = "puppetdb"},
	.language = SPK_INVENTORY_OWN,
	.open = open_puppetdb,
	.close = close_puppetdb,
	.find = find,
};
