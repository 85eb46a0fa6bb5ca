/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog of services: what a file that other programs write says of each of them, which
 * addresses it has where, in which discovery records it is. The file is
 * `CONFIG_DIR/service/service.yaml`, a map from names to services (aliases are followed):
 *
 *     search:
 *       description: Search
 *       port: 9243
 *       sites: [eqiad, codfw]
 *       ip:
 *         eqiad: {default: 192.0.2.1}
 *         codfw: {default: 192.0.2.2, canary: 192.0.2.3}
 *       discovery:
 *         - {dnsdisc: search, active_active: true}
 *
 * Everything in it, also what nobody here knows of, is told by the calls of config.h:
 *
 *     spk_config_get_text(spk_service_config(service), "lvs.conftool.cluster")
 *
 * A service is of use as far as its data are right: what is wrong in one of them raises when it is
 * asked for, and hurts no other.
 *
 * The errors, each a `service` error, beside `config.*`: `service.missing` (no such service, site
 * or record), `service.ambiguous` (several records where one is meant), `service.data` (what the
 * file says of it cannot be), `service.dns` (the servers do not tell what they should).
 */
#ifndef SPICERACK_SERVICE_H
#define SPICERACK_SERVICE_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_config;
struct spk_discovery;

/* They belong to the run, and never change. */
struct spk_service_catalog;
struct spk_service;

/*
 * Reads the catalog. Raises `config.file`, naming file and line, when it cannot be read or is no
 * map. Since 1.0. Source: spicerack.service_catalog().
 */
SPK_API const struct spk_service_catalog *spk_service_catalog(struct spk *spk);
/* The names of all services, in the order of the file. Since 1.0. */
SPK_API spk_strings spk_service_names(const struct spk_service_catalog *catalog);
/* One of them. Raises `service.missing`. Since 1.0. Source: Catalog.get(). */
SPK_API const struct spk_service *spk_service_get(const struct spk_service_catalog *catalog,
						  const char *name);

/* Its name. Since 1.0. */
SPK_API const char *spk_service_name(const struct spk_service *service);
/* All that the file says of it. Since 1.0. */
SPK_API const struct spk_config *spk_service_config(const struct spk_service *service);

/*
 * Its address in a site with a label, NULL for "default"; NULL when it has none there. Raises
 * `service.data` when there is something else than an address. Since 1.0. Source:
 * ServiceIPs.get().
 */
SPK_API const char *spk_service_ip(const struct spk_service *service, const char *site,
				   const char *label);
/* All its addresses, sorted, each once. Raises `service.data`. Since 1.0. Source: ServiceIPs.all.
 */
SPK_API spk_strings spk_service_ips(const struct spk_service *service);
/* The sites in which it has an address, in the order of the file. Since 1.0. */
SPK_API spk_strings spk_service_ip_sites(const struct spk_service *service);

/* The names of its discovery records; perhaps none. Raises `service.data`. Since 1.0. */
SPK_API spk_strings spk_service_records(const struct spk_service *service);
/*
 * One of them, by its name; with NULL the only one it has. Raises `service.missing` and
 * `service.ambiguous`. Since 1.0. Source: ServiceDiscovery.get().
 */
SPK_API struct spk_discovery *spk_service_discovery(const struct spk_service *service,
						    const char *record);

/* The address of a client in a site. */
struct spk_service_client {
	const char *site, *address;
};

/*
 * Waits until the authoritative servers of discovery.h answer each client as they should: with the
 * service's address in the client's site if the record (NULL: the only one) is pooled there, and
 * with another if it is not. `tries`, 3 s apart, is at least 1, else it is misuse. A service that
 * is in no record is fine. Raises `service.dns`, which a dry run reports as not known, and what
 * discovery.h raises. Since 1.0. Source: Service.check_dns_state().
 */
SPK_API void spk_service_check_dns_state(const struct spk_service *service,
					 const struct spk_service_client *clients, size_t count,
					 const char *record, unsigned int tries);

#ifdef __cplusplus
}
#endif

#endif
