/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog of services. */
#include <spicerack/service.h>

#include <string.h>

#include <spicerack/cookbook.h>

#include "../runtime/address.h"
#include "../runtime/copy.h"
#include "../runtime/misuse.h"
#include "moduleconfig.h"

#define CATALOG_MAGIC 0x7363741eU
#define SERVICE_MAGIC 0x7376631eU
#define DELAY SPK_SECONDS(3)

/* Plain data in memory of the run, as what follows. */
struct spk_service_catalog {
	uint32_t magic;
	struct spk *spk;
	const char *file;
	const struct spk_config *config;
};

struct spk_service {
	uint32_t magic;
	struct spk *spk;
	const char *file, *name;
	const struct spk_config *config;
};

const struct spk_service_catalog *spk_service_catalog(struct spk *spk)
{
	struct spk_service_catalog *catalog;

	CHECK_SPK(spk);
	catalog = SPK_NEW(spk, struct spk_service_catalog);
	catalog->spk = spk;
	catalog->file = spk_format(spk, "%s/service/service.yaml", spk_config_dir(spk));
	catalog->config = spk_config_read_yaml(spk, catalog->file);
	session_did_read(spk, "the catalog of services '%s'", catalog->file);
	catalog->magic = CATALOG_MAGIC;
	return catalog;
}

spk_strings spk_service_names(const struct spk_service_catalog *catalog)
{
	CHECK_HANDLE(catalog, CATALOG_MAGIC);
	return spk_config_names(catalog->config, "");
}

const struct spk_service *spk_service_get(const struct spk_service_catalog *catalog,
					  const char *name)
{
	const struct spk_config *config;
	struct spk_service *service;
	struct spk *spk;

	CHECK_HANDLE(catalog, CATALOG_MAGIC);
	CHECK_GIVEN(name);
	spk = catalog->spk;
	config = config_below(catalog->config, name);
	if (!config)
		spk_raise(spk, "service.missing", NULL, "%s: there is no service '%s'",
			  catalog->file, name);
	service = SPK_NEW(spk, struct spk_service);
	service->spk = spk;
	service->file = catalog->file;
	service->name = copy_text(spk, name);
	service->config = config;
	service->magic = SERVICE_MAGIC;
	return service;
}

const char *spk_service_name(const struct spk_service *service)
{
	CHECK_HANDLE(service, SERVICE_MAGIC);
	return service->name;
}

const struct spk_config *spk_service_config(const struct spk_service *service)
{
	CHECK_HANDLE(service, SERVICE_MAGIC);
	return service->config;
}

/* ---- addresses ---- */

/* An address that a site has under a label, or NULL. */
static const char *ip_of(const struct spk_service *service, const struct spk_config *site,
			 const char *name, const char *label)
{
	const char *text = spk_config_find_text(site, label, NULL);
	struct address address;
	struct err err;

	if (!text)
		return NULL;
	if (address_read_server(text, 0, &address, &err) < 0 || address.number)
		spk_raise(service->spk, "service.data", NULL,
			  "%s: the service '%s' has in %s no address but '%s'", service->file,
			  service->name, name, text);
	return copy_text(service->spk, address.text);
}

static const struct spk_config *ips_of(const struct spk_service *service)
{
	return config_below(service->config, "ip");
}

const char *spk_service_ip(const struct spk_service *service, const char *site, const char *label)
{
	const struct spk_config *ips, *labels;

	CHECK_HANDLE(service, SERVICE_MAGIC);
	CHECK_NOT_EMPTY(site);
	ips = ips_of(service);
	labels = ips ? config_below(ips, site) : NULL;
	return labels ? ip_of(service, labels, site, label ? label : "default") : NULL;
}

spk_strings spk_service_ip_sites(const struct spk_service *service)
{
	const struct spk_config *ips;

	CHECK_HANDLE(service, SERVICE_MAGIC);
	ips = ips_of(service);
	return ips ? spk_config_names(ips, "") : (spk_strings){0};
}

spk_strings spk_service_ips(const struct spk_service *service)
{
	struct spk_set *all;
	spk_strings sites;

	CHECK_HANDLE(service, SERVICE_MAGIC);
	all = spk_set_new(service->spk);
	sites = spk_service_ip_sites(service);
	for (size_t i = 0; i < sites.count; i++) {
		const struct spk_config *labels = config_below(ips_of(service), sites.items[i]);
		spk_strings names = labels ? spk_config_names(labels, "") : (spk_strings){0};

		for (size_t k = 0; k < names.count; k++) {
			const char *ip = ip_of(service, labels, sites.items[i], names.items[k]);

			if (ip)
				spk_set_add(all, ip);
		}
	}
	return spk_sorted(service->spk, spk_set_members(all));
}

/* ---- discovery ---- */

spk_strings spk_service_records(const struct spk_service *service)
{
	const char **names;
	size_t count = 0;
	struct spk *spk;

	CHECK_HANDLE(service, SERVICE_MAGIC);
	spk = service->spk;
	while (spk_config_has(service->config, spk_format(spk, "discovery.[%zu]", count)))
		count++;
	names = spk_alloc(spk, count * sizeof(*names));
	for (size_t i = 0; i < count; i++)
		names[i] = spk_config_get_text(service->config,
					       spk_format(spk, "discovery.[%zu].dnsdisc", i));
	return (spk_strings){names, count};
}

static const char *record_of(const struct spk_service *service, const char *wanted)
{
	spk_strings records = spk_service_records(service);
	struct spk *spk = service->spk;

	for (size_t i = 0; i < records.count; i++)
		if (wanted ? spk_streq(records.items[i], wanted) : records.count == 1)
			return records.items[i];
	if (!wanted && records.count)
		spk_raise(spk, "service.ambiguous", NULL,
			  "the service '%s' has several discovery records: %s", service->name,
			  spk_join(spk, ", ", records));
	if (!wanted)
		spk_raise(spk, "service.missing", NULL, "the service '%s' has no discovery record",
			  service->name);
	spk_raise(spk, "service.missing", NULL, "the service '%s' has no discovery record '%s'",
		  service->name, wanted);
}

struct spk_discovery *spk_service_discovery(const struct spk_service *service, const char *record)
{
	CHECK_HANDLE(service, SERVICE_MAGIC);
	return spk_discovery(service->spk, record_of(service, record));
}

/* What is asked of the servers. */
struct dns_state {
	const struct spk_service *service;
	const struct spk_service_client *clients;
	size_t count;
	const char *record;
	struct spk_discovery *discovery;
	unsigned int tries;
};

static void check_client(const struct dns_state *state, const struct spk_service_client *client)
{
	const char *local = spk_service_ip(state->service, client->site, NULL);
	bool pooled = spk_discovery_pooled(state->discovery, client->site);
	struct spk *spk = state->service->spk;
	spk_discovery_answers answers;

	if (!local)
		spk_raise(spk, "service.missing", NULL, "the service '%s' has no address in %s",
			  state->service->name, client->site);
	answers = spk_discovery_resolve_for(state->discovery, state->record, client->address);
	for (size_t i = 0; i < answers.count; i++)
		if (spk_streq(answers.items[i].address, local) != pooled)
			spk_raise(spk, "service.dns", NULL,
				  "%s tells %s for '%s' to the client %s of %s, where it is %s",
				  answers.items[i].server, answers.items[i].address, state->record,
				  client->address, client->site, pooled ? "pooled" : "not pooled");
}

static void check_once(struct spk *spk, void *argument)
{
	const struct dns_state *state = argument;

	for (size_t i = 0; i < state->count; i++)
		check_client(state, &state->clients[i]);
}

static void check_patiently(struct spk *spk, void *argument)
{
	const struct dns_state *state = argument;

	spk_retry(spk,
		  SPK_RETRY(.tries = state->tries, .delay = DELAY, .backoff = SPK_BACKOFF_CONSTANT,
			    .kinds = SPK_STRINGS("service.dns", "dns"),
			    .message = "the authoritative servers do not follow yet"),
		  check_once, argument);
}

void spk_service_check_dns_state(const struct spk_service *service,
				 const struct spk_service_client *clients, size_t count,
				 const char *record, unsigned int tries)
{
	struct dns_state state = {service, clients, count, NULL, NULL, tries};
	const struct spk_error *error;
	struct spk *spk;

	CHECK_HANDLE(service, SERVICE_MAGIC);
	if (count)
		CHECK_GIVEN(clients);
	for (size_t i = 0; i < count; i++)
		if (!clients[i].site || !clients[i].address)
			session_misuse(__func__, "client %zu has no site or no address", i);
	if (tries == 0)
		session_misuse(__func__, "there is not one try");
	spk = service->spk;
	if (!record && spk_service_records(service).count == 0)
		return;
	state.record = record_of(service, record);
	state.discovery = spk_discovery(spk, state.record);
	if (spk_try(spk, check_patiently, &state, &error))
		return;
	if (!spk_dry_run(spk) || !spk_error_is(error, "service.dns"))
		spk_raise_again(spk, error);
	session_cannot_know(spk, "whether the servers would have followed: %s",
			    spk_error_message(error));
	spk_warn(spk, "%s, ignoring in a dry run", spk_error_message(error));
}
