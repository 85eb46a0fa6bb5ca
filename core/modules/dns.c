/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the DNS for cookbooks: whom to ask, and what the answers mean. */
#include <spicerack/dns.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/cookbook.h>
#include <spicerack/plugin.h>

#include "../runtime/address.h"
#include "../runtime/buf.h"
#include "../runtime/copy.h"
#include "../runtime/driver.h"
#include "../runtime/guard.h"
#include "../runtime/mem.h"
#include "../runtime/misuse.h"
#include "moduleconfig.h"

#define DNS_MAGIC 0x646e731eU
#define DRIVER "ldns"
#define DEFAULT_PORT 53
#define DEFAULT_TIMEOUT SPK_SECONDS(5)
#define SERVERS_MAX 64

/* The size in version 1.0, which stays when the structure grows. */
#define OPTIONS_1_0 SIZE_UP_TO(struct spk_dns_options, client)

/* Plain data in memory of the run. */
struct spk_dns {
	uint32_t magic;
	struct spk *spk;
	const struct spk_dns_server *servers;
	size_t server_count; /* 0: those of the system */
	bool tcp;
	spk_duration timeout;
	const char *client; /* NULL: none */
	uint32_t client_bits;
};

static const struct type_name {
	unsigned int type;
	const char *name;
} type_names[] = {
	{SPK_DNS_A, "A"},     {SPK_DNS_NS, "NS"},     {SPK_DNS_CNAME, "CNAME"},
	{SPK_DNS_SOA, "SOA"}, {SPK_DNS_PTR, "PTR"},   {SPK_DNS_MX, "MX"},
	{SPK_DNS_TXT, "TXT"}, {SPK_DNS_AAAA, "AAAA"}, {SPK_DNS_SRV, "SRV"},
};

static const char *name_of_type(struct spk *spk, unsigned int type)
{
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++)
		if (type_names[i].type == type)
			return type_names[i].name;
	return spk_format(spk, "TYPE%u", type);
}

/* ---- whom to ask ---- */

static void take_servers(struct spk_dns *dns, spk_strings servers, unsigned int port)
{
	struct spk *spk = dns->spk;
	struct spk_dns_server *taken;
	struct address address;
	struct err err;

	if (servers.count == 0)
		return;
	if (servers.count > SERVERS_MAX)
		spk_raise(spk, "dns.invalid", NULL, "%zu servers of names: at most %d are asked",
			  servers.count, SERVERS_MAX);
	taken = spk_alloc(spk, servers.count * sizeof(*taken));
	for (size_t i = 0; i < servers.count; i++) {
		if (address_read_server(servers.items[i], port, &address, &err) < 0)
			spk_raise(spk, "dns.invalid", NULL,
				  "cannot ask the server of names '%s': %s", servers.items[i],
				  err.text);
		taken[i] = (struct spk_dns_server){.address = copy_text(spk, address.text),
						   .port = address.number};
	}
	dns->servers = taken;
	dns->server_count = servers.count;
}

/* What `dns/config.cfg` says; the file need not exist. */
static void take_configured_servers(struct spk_dns *dns, unsigned int port)
{
	const struct spk_config *config = module_config_find(dns->spk, "dns");

	if (config)
		spk_config_expect(config, "", SPK_STRINGS("servers"));
	if (config && spk_config_has(config, "servers"))
		take_servers(dns, spk_config_get_list(config, "servers"), port);
}

const struct spk_dns *spk_dns(struct spk *spk, const struct spk_dns_options *given)
{
	struct spk_dns_options how = {0};
	struct address client;
	struct spk_dns *dns;
	unsigned int port;
	struct err err;

	CHECK_SPK(spk);
	if (given)
		adopt_structure(__func__, "how", "SPK_DNS", given, &how, sizeof(how), OPTIONS_1_0);
	CHECK_LIST(how.servers);
	if (how.timeout.ns < 0)
		session_misuse(__func__, "the timeout is negative");
	dns = SPK_NEW(spk, struct spk_dns);
	dns->spk = spk;
	dns->tcp = how.tcp;
	dns->timeout = how.timeout.ns ? how.timeout : DEFAULT_TIMEOUT;
	port = how.port ? how.port : DEFAULT_PORT;
	if (how.servers.count)
		take_servers(dns, how.servers, port);
	else
		take_configured_servers(dns, port);
	if (how.client) {
		if (address_read_client(how.client, &client, &err) < 0)
			spk_raise(spk, "dns.invalid", NULL, "cannot ask for the client '%s': %s",
				  how.client, err.text);
		dns->client = copy_text(spk, client.text);
		dns->client_bits = client.number;
	}
	dns->magic = DNS_MAGIC;
	return dns;
}

/* ---- asking ---- */

/* What a driver tells, which must not be raised through: it is copied when the driver is done. */
struct told {
	struct buf texts; /* name and text of each record, with their NULs */
	struct told_record {
		uint32_t ttl;
		uint16_t priority, weight, port;
		bool has_nul;
	} * records;
	size_t count, capacity;
	struct spk_dns_reply reply;
	unsigned int type;
	struct spk_dns_answer *answer; /* the copy */
};

static void take_record(void *data, const struct spk_dns_reply_record *record)
{
	struct told *told = data;

	told->records = xgrow(told->records, told->count, &told->capacity, sizeof(*told->records));
	told->records[told->count++] = (struct told_record){
		.ttl = record->ttl,
		.priority = record->priority,
		.weight = record->weight,
		.port = record->port,
		.has_nul = strlen(record->text) != record->length,
	};
	buf_add(&told->texts, record->name, strlen(record->name) + 1);
	buf_add(&told->texts, record->text, strlen(record->text) + 1);
}

static void keep_in_run(struct spk *spk, void *argument)
{
	struct told *told = argument;
	struct spk_dns_record *records = spk_alloc(spk, told->count * sizeof(*records));
	struct spk_dns_answer *answer = SPK_NEW(spk, struct spk_dns_answer);
	const char *at = copy_bytes(spk, told->texts.text, told->texts.length);

	for (size_t i = 0; i < told->count; i++) {
		const struct told_record *record = &told->records[i];

		if (record->has_nul)
			spk_raise(spk, "dns.server", NULL, "a text of the answer holds a NUL byte");
		records[i] = (struct spk_dns_record){
			.name = at,
			.text = at + strlen(at) + 1,
			.ttl = SPK_SECONDS(record->ttl),
			.type = told->type,
			.priority = record->priority,
			.weight = record->weight,
			.port = record->port,
		};
		at = records[i].text + strlen(records[i].text) + 1;
	}
	answer->records = records;
	answer->count = told->count;
	answer->ttl = SPK_SECONDS(told->reply.ttl);
	answer->authoritative = told->reply.authoritative;
	answer->client_scope = told->reply.client_scope;
	told->answer = answer;
}

/* Frees what was told. */
static const struct spk_dns_answer *keep(struct spk *spk, struct told *told)
{
	const struct spk_error *error = NULL;

	if (told->count)
		error = guard_call(spk, keep_in_run, told, false);
	free(told->records);
	buf_free(&told->texts);
	if (error)
		guard_raise(spk, error);
	return told->answer;
}

/* "'search.example.org' (A)", with whom it is asked for. */
static const char *shown(const struct spk_dns *dns, const char *name, unsigned int type)
{
	struct spk *spk = dns->spk;
	const char *text = spk_format(spk, "'%s' (%s)", name, name_of_type(spk, type));

	if (dns->client)
		text = spk_format(spk, "%s for the client %s/%u", text, dns->client,
				  dns->client_bits);
	if (dns->server_count)
		text = spk_format(spk,
				  strchr(dns->servers[0].address, ':') ? "%s of [%s]:%u%s"
								       : "%s of %s:%u%s",
				  text, dns->servers[0].address, dns->servers[0].port,
				  dns->server_count > 1 ? " and others" : "");
	return text;
}

static SPK_NORETURN void fail(const struct spk_dns *dns, enum spk_dns_status status,
			      const char *asked, const char *reason)
{
	static const struct {
		const char *kind, *words;
	} failures[] = {
		[SPK_DNS_NO_NAME] = {"dns.missing.name", "there is no such name"},
		[SPK_DNS_NO_RECORDS] = {"dns.missing.records",
					"the name has no records of that type"},
		[SPK_DNS_FAILED] = {"dns.server", NULL},
		[SPK_DNS_TIMEOUT] = {"dns.timeout", "no answer in time"},
		[SPK_DNS_CANCELLED] = {"dns.server", "the question was cancelled"},
		[SPK_DNS_INVALID] = {"dns.invalid", NULL},
	};
	const char *words = "the driver of the DNS fails", *kind = "dns.server";

	if ((size_t)status < sizeof(failures) / sizeof(failures[0]) && failures[status].kind) {
		kind = failures[status].kind;
		words = failures[status].words;
	}
	spk_debug(dns->spk, "asked the DNS for %s: %s%s%s", asked, words ? words : "",
		  words && *reason ? ": " : "", reason);
	spk_raise(dns->spk, kind, NULL, "cannot resolve %s: %s%s%s", asked, words ? words : "",
		  words && *reason ? ": " : "", reason);
}

static void log_answer(const struct spk_dns *dns, const char *asked,
		       const struct spk_dns_answer *answer)
{
	struct spk *spk = dns->spk;
	const char *text = "";

	for (size_t i = 0; i < answer->count && i < 8; i++)
		text = spk_format(spk, "%s%s%s", text, i ? ", " : "", answer->records[i].text);
	spk_debug(spk, "asked the DNS for %s: %s%s, ttl %s", asked, text,
		  answer->count > 8 ? ", ..." : "", spk_duration_text(spk, answer->ttl));
	session_did_read(spk, "the DNS: %s", asked);
}

const struct spk_dns_answer *spk_dns_resolve(const struct spk_dns *dns, const char *name,
					     unsigned int type)
{
	struct spk_dns_question question = {.size = sizeof(question), .type = type, .name = name};
	const struct spk_dns_driver *driver;
	const struct spk_dns_answer *answer;
	struct told told = {.type = type};
	enum spk_dns_status status;
	struct spk_dns_call call;
	const char *asked;
	struct spk *spk;
	struct err err;

	CHECK_HANDLE(dns, DNS_MAGIC);
	CHECK_NOT_EMPTY(name);
	if (type == 0 || type > UINT16_MAX)
		session_misuse(__func__, "there is no type %u", type);
	spk = dns->spk;
	asked = shown(dns, name, type);
	driver = (const struct spk_dns_driver *)driver_open("dns", DRIVER, sizeof(*driver), &err);
	if (!driver)
		spk_raise(spk, "dns.server", NULL, "cannot resolve %s: %s", asked, err.text);
	question.servers = dns->servers;
	question.server_count = dns->server_count;
	question.tcp = dns->tcp;
	question.client = dns->client;
	question.client_bits = dns->client_bits;
	told.reply = (struct spk_dns_reply){.size = sizeof(told.reply), .client_scope = -1};
	call = (struct spk_dns_call){.deadline_ns = session_deadline(dns->timeout),
				     .cancel_fd = session_cancel_fd(spk)};
	status = driver->ask(&question, &told.reply, take_record, &told, &call);
	answer = keep(spk, &told);
	if (status == SPK_DNS_CANCELLED)
		session_check_interrupt(spk);
	if (status != SPK_DNS_ANSWERED || !answer)
		fail(dns, status == SPK_DNS_ANSWERED ? SPK_DNS_NO_RECORDS : status, asked,
		     call.reason.text);
	log_answer(dns, asked, answer);
	return answer;
}

/* ---- what is mostly asked for ---- */

static spk_strings texts_of(struct spk *spk, const struct spk_dns_answer *answer)
{
	const char **items = spk_alloc(spk, answer->count * sizeof(*items));

	for (size_t i = 0; i < answer->count; i++)
		items[i] = answer->records[i].text;
	return (spk_strings){items, answer->count};
}

spk_strings spk_dns_resolve_ipv4(const struct spk_dns *dns, const char *name)
{
	CHECK_HANDLE(dns, DNS_MAGIC);
	return texts_of(dns->spk, spk_dns_resolve(dns, name, SPK_DNS_A));
}

spk_strings spk_dns_resolve_ipv6(const struct spk_dns *dns, const char *name)
{
	CHECK_HANDLE(dns, DNS_MAGIC);
	return texts_of(dns->spk, spk_dns_resolve(dns, name, SPK_DNS_AAAA));
}

spk_strings spk_dns_resolve_txt(const struct spk_dns *dns, const char *name)
{
	CHECK_HANDLE(dns, DNS_MAGIC);
	return texts_of(dns->spk, spk_dns_resolve(dns, name, SPK_DNS_TXT));
}

/* One of two questions, of which one may go unanswered. */
struct optional {
	const struct spk_dns *dns;
	const char *name;
	unsigned int type;
	const struct spk_dns_answer *answer;
};

static void ask_optional(struct spk *spk, void *argument)
{
	struct optional *optional = argument;

	optional->answer = spk_dns_resolve(optional->dns, optional->name, optional->type);
}

spk_strings spk_dns_resolve_ips(const struct spk_dns *dns, const char *name)
{
	struct optional v4 = {dns, name, SPK_DNS_A, NULL}, v6 = {dns, name, SPK_DNS_AAAA, NULL};
	const struct spk_error *error;
	spk_strings first = {0}, second = {0};
	const char **all;

	CHECK_HANDLE(dns, DNS_MAGIC);
	if (spk_try(dns->spk, ask_optional, &v4, &error))
		first = texts_of(dns->spk, v4.answer);
	else if (!spk_error_is(error, "dns.missing.records"))
		spk_raise_again(dns->spk, error);
	if (spk_try(dns->spk, ask_optional, &v6, &error))
		second = texts_of(dns->spk, v6.answer);
	else if (!first.count || !spk_error_is(error, "dns.missing.records"))
		spk_raise_again(dns->spk, error);
	all = spk_alloc(dns->spk, (first.count + second.count) * sizeof(*all));
	for (size_t i = 0; i < first.count; i++)
		all[i] = first.items[i];
	for (size_t i = 0; i < second.count; i++)
		all[first.count + i] = second.items[i];
	return (spk_strings){all, first.count + second.count};
}

spk_strings spk_dns_resolve_ptr(const struct spk_dns *dns, const char *address)
{
	char name[ADDRESS_REVERSE_SIZE];
	struct err err;

	CHECK_HANDLE(dns, DNS_MAGIC);
	CHECK_GIVEN(address);
	if (address_reverse(address, name, &err) < 0)
		spk_raise(dns->spk, "dns.invalid", NULL,
			  "cannot ask for the names of the address '%s': %s", address, err.text);
	return texts_of(dns->spk, spk_dns_resolve(dns, name, SPK_DNS_PTR));
}

const char *spk_dns_resolve_cname(const struct spk_dns *dns, const char *name)
{
	const struct spk_dns_answer *answer;

	CHECK_HANDLE(dns, DNS_MAGIC);
	answer = spk_dns_resolve(dns, name, SPK_DNS_CNAME);
	if (answer->count > 1)
		spk_raise(dns->spk, "dns.ambiguous", NULL, "'%s' is an alias of %zu names: %s",
			  name, answer->count,
			  spk_join(dns->spk, ", ", texts_of(dns->spk, answer)));
	return answer->records[0].text;
}

static int compare_services(const void *a, const void *b)
{
	const struct spk_dns_record *one = a, *other = b;

	if (one->priority != other->priority)
		return one->priority < other->priority ? -1 : 1;
	if (one->weight != other->weight)
		return one->weight > other->weight ? -1 : 1;
	return strcmp(one->text, other->text);
}

const struct spk_dns_answer *spk_dns_resolve_srv(const struct spk_dns *dns, const char *name)
{
	const struct spk_dns_answer *answer;
	struct spk_dns_answer *sorted;
	struct spk_dns_record *records;

	CHECK_HANDLE(dns, DNS_MAGIC);
	answer = spk_dns_resolve(dns, name, SPK_DNS_SRV);
	if (answer->count == 1 && spk_streq(answer->records[0].text, "."))
		spk_raise(dns->spk, "dns.missing.records", NULL,
			  "cannot resolve %s: it says that there is no such service",
			  shown(dns, name, SPK_DNS_SRV));
	sorted = SPK_NEW(dns->spk, struct spk_dns_answer);
	records = spk_alloc(dns->spk, answer->count * sizeof(*records));
	memcpy(records, answer->records, answer->count * sizeof(*records));
	qsort(records, answer->count, sizeof(*records), compare_services);
	*sorted = *answer;
	sorted->records = records;
	return sorted;
}
