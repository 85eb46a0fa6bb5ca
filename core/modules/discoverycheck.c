/* SPDX-License-Identifier: Apache-2.0 */
/* Services pooled in datacenters: what the authoritative servers tell of them. */
#include "discovery.h"

#include "../runtime/copy.h"
#include "moduleconfig.h"

#define MODULE "discovery"
/* How long servers may take to follow. */
#define TRIES 10
#define DELAY SPK_SECONDS(3)
#define TTL_MAX INT32_MAX

/* The configuration of the servers. */
struct servers {
	const char *domain;
	uint16_t port;
	spk_strings names, addresses; /* as many of both */
};

/* ---- the configuration ---- */

static struct servers read_servers(struct spk *spk)
{
	const struct spk_config *config = spk_module_config(spk, MODULE);
	struct servers servers = {.domain = spk_config_find_text(config, "domain", "")};
	long long port = spk_config_find_int(config, "port", 53);
	const char **names, **addresses;
	size_t count = 0;

	spk_config_expect(config, "", SPK_STRINGS("domain", "port", "servers"));
	if (port < 1 || port > UINT16_MAX)
		spk_raise(spk, "config.type", NULL, "%s/%s/config.cfg: there is no port %lld",
			  spk_config_dir(spk), MODULE, port);
	servers.port = (uint16_t)port;
	while (spk_config_has(config, spk_format(spk, "servers.[%zu]", count)))
		count++;
	if (count == 0)
		spk_raise(spk, "config.missing", NULL, "%s/%s/config.cfg: 'servers' lists none",
			  spk_config_dir(spk), MODULE);
	names = spk_alloc(spk, count * sizeof(*names));
	addresses = spk_alloc(spk, count * sizeof(*addresses));
	for (size_t i = 0; i < count; i++) {
		const char *server = spk_format(spk, "servers.[%zu]", i);
		const char *address;

		spk_config_expect(config, server, SPK_STRINGS("name", "address", "port"));
		address = spk_config_get_text(config, spk_format(spk, "%s.address", server));
		names[i] = spk_config_find_text(config, spk_format(spk, "%s.name", server),
						address);
		port = spk_config_find_int(config, spk_format(spk, "%s.port", server), 0);
		addresses[i] = port ? spk_format(spk,
						 strchr(address, ':') ? "[%s]:%lld" : "%s:%lld",
						 address, port)
				    : address;
	}
	servers.names = (spk_strings){names, count};
	servers.addresses = (spk_strings){addresses, count};
	return servers;
}

/* The full name of a record. */
static const char *full_name(struct spk *spk, const struct servers *servers, const char *record)
{
	if (!*servers->domain)
		spk_raise(spk, "config.missing", NULL, "%s/%s/config.cfg: there is no 'domain'",
			  spk_config_dir(spk), MODULE);
	return spk_format(spk, "%s.%s", record, servers->domain);
}

spk_strings spk_discovery_servers(struct spk *spk)
{
	CHECK_SPK(spk);
	return read_servers(spk).names;
}

/* ---- asking ---- */

static const struct spk_dns *resolver_of(struct spk *spk, const struct servers *servers, size_t at,
					 const char *client)
{
	return spk_dns(spk, SPK_DNS(.servers = SPK_STRINGS(servers->addresses.items[at]),
				    .port = servers->port, .client = client));
}

static const struct spk_dns_record *only_address(struct spk *spk, const char *name,
						 const struct spk_dns_answer *answer)
{
	if (answer->count > 1)
		spk_raise(spk, "dns.ambiguous", NULL, "'%s' has %zu addresses where one is needed",
			  name, answer->count);
	return &answer->records[0];
}

/* What one server answers for one record. */
static struct spk_discovery_answer ask(struct spk *spk, const struct servers *servers, size_t at,
				       const char *record, const char *client)
{
	const char *name = full_name(spk, servers, record);
	const struct spk_dns_answer *answer = spk_dns_resolve(resolver_of(spk, servers, at, client),
							      name, SPK_DNS_A);

	if (!answer->authoritative)
		spk_raise(spk, "discovery.server", NULL,
			  "the server %s is not authoritative for '%s': what it tells may be old",
			  servers->names.items[at], name);
	if (client && answer->client_scope < 0)
		spk_raise(spk, "discovery.server", NULL,
			  "the server %s takes no heed of the client's address for '%s'",
			  servers->names.items[at], name);
	return (struct spk_discovery_answer){
		.server = servers->names.items[at],
		.record = record,
		.address = only_address(spk, name, answer)->text,
		.ttl = answer->ttl,
	};
}

static spk_discovery_answers ask_all(struct spk *spk, const struct servers *servers,
				     spk_strings records, const char *client)
{
	size_t count = servers->names.count * records.count, next = 0;
	struct spk_discovery_answer *answers = spk_alloc(spk, count * sizeof(*answers));

	for (size_t s = 0; s < servers->names.count; s++)
		for (size_t r = 0; r < records.count; r++)
			answers[next++] = ask(spk, servers, s, records.items[r], client);
	return (spk_discovery_answers){answers, count};
}

spk_discovery_answers spk_discovery_resolve(struct spk_discovery *discovery)
{
	struct servers servers;

	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	servers = read_servers(discovery->spk);
	return ask_all(discovery->spk, &servers, discovery->records, NULL);
}

spk_discovery_answers spk_discovery_resolve_for(struct spk_discovery *discovery, const char *record,
						const char *client)
{
	struct servers servers;

	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	CHECK_NOT_EMPTY(record);
	CHECK_NOT_EMPTY(client);
	servers = read_servers(discovery->spk);
	record = discovery_own_record(discovery, record);
	return ask_all(discovery->spk, &servers, SPK_STRINGS(record), client);
}

static const char *resolve_address(struct spk *spk, const struct servers *servers, const char *name)
{
	const struct spk_dns *dns = resolver_of(spk, servers, 0, NULL);

	return only_address(spk, name, spk_dns_resolve(dns, name, SPK_DNS_A))->text;
}

const char *spk_discovery_resolve_address(struct spk_discovery *discovery, const char *name)
{
	struct servers servers;

	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	CHECK_NOT_EMPTY(name);
	servers = read_servers(discovery->spk);
	return resolve_address(discovery->spk, &servers, name);
}

/* ---- waiting for the servers ---- */

/* What they should tell: an address, or a ttl where that is NULL. */
struct expectation {
	struct servers servers;
	spk_strings records;
	const char *address;
	spk_duration ttl;
};

static void check_once(struct spk *spk, void *argument)
{
	const struct expectation *expected = argument;
	spk_discovery_answers answers = ask_all(spk, &expected->servers, expected->records, NULL);
	const char *wrong = "";

	for (size_t i = 0; i < answers.count; i++) {
		const struct spk_discovery_answer *answer = &answers.items[i];
		bool fine = expected->address ? spk_streq(answer->address, expected->address)
					      : answer->ttl.ns == expected->ttl.ns;

		if (!fine)
			wrong = spk_format(spk, "%s%s%s tells %s for '%s'", wrong,
					   *wrong ? ", " : "", answer->server,
					   expected->address ? answer->address
							     : spk_duration_text(spk, answer->ttl),
					   answer->record);
	}
	if (*wrong)
		spk_raise(spk, "discovery.check", NULL, "expected %s, but %s",
			  expected->address ? expected->address
					    : spk_duration_text(spk, expected->ttl),
			  wrong);
}

static void check_patiently(struct spk *spk, void *argument)
{
	spk_retry(spk,
		  SPK_RETRY(.tries = TRIES, .delay = DELAY, .backoff = SPK_BACKOFF_CONSTANT,
			    .kinds = SPK_STRINGS("discovery.check", "dns"),
			    .message = "the authoritative servers do not follow yet"),
		  check_once, argument);
}

/* In a dry run what they tell is not what they would have told. */
static void check(struct spk *spk, struct expectation *expected)
{
	const struct spk_error *error;

	if (spk_try(spk, check_patiently, expected, &error))
		return;
	if (!spk_dry_run(spk) || !spk_error_is(error, "discovery.check"))
		spk_raise_again(spk, error);
	session_cannot_know(spk, "whether the servers would have followed: %s",
			    spk_error_message(error));
	spk_warn(spk, "%s, ignoring in a dry run", spk_error_message(error));
}

static void check_span(const char *function, spk_duration ttl)
{
	const int64_t second = SPK_SECONDS(1).ns;

	if (ttl.ns < second || ttl.ns % second || ttl.ns / second > TTL_MAX)
		session_misuse(function, "the ttl is not whole seconds, at least 1");
}

void spk_discovery_check_ttl(struct spk_discovery *discovery, spk_duration ttl)
{
	struct expectation expected = {.ttl = ttl};

	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	check_span(__func__, ttl);
	expected.servers = read_servers(discovery->spk);
	expected.records = discovery->records;
	check(discovery->spk, &expected);
}

void spk_discovery_update_ttl(struct spk_discovery *discovery, spk_duration ttl)
{
	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	check_span(__func__, ttl);
	/* Who could not look whether they follow does not begin. */
	(void)read_servers(discovery->spk);
	discovery_write_ttl(discovery, ttl.ns / SPK_SECONDS(1).ns);
	spk_discovery_check_ttl(discovery, ttl);
}

void spk_discovery_check_record(struct spk_discovery *discovery, const char *record,
				const char *name)
{
	struct expectation expected = {0};
	struct spk *spk;

	CHECK_HANDLE(discovery, DISCOVERY_MAGIC);
	CHECK_NOT_EMPTY(record);
	CHECK_NOT_EMPTY(name);
	spk = discovery->spk;
	expected.servers = read_servers(spk);
	record = spk_strip_suffix(spk, record, spk_format(spk, ".%s", expected.servers.domain));
	record = discovery_own_record(discovery, record);
	expected.records = SPK_STRINGS(record);
	expected.address = resolve_address(spk, &expected.servers, name);
	check(spk, &expected);
}
