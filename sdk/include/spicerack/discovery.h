/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services that are served from several datacenters, told by the DNS: a record `search` of
 * discovery is the name `search.DOMAIN`, for which authoritative servers answer with a datacenter
 * that is pooled and near the client. Whether a datacenter is pooled is kept in the key-value store
 * behind confctl.h, as objects of the entity `discovery`: tag `dnsdisc` is the record, the name is
 * the datacenter, its fields are `pooled` and `ttl`.
 *
 *     struct spk_discovery *discovery = spk_discovery(spk, "search");
 *
 *     spk_discovery_update_ttl(discovery, SPK_SECONDS(10));
 *     spk_discovery_depool(discovery, "codfw");
 *     spk_discovery_check_record(discovery, "search", "search.svc.eqiad.example.org");
 *
 * Configuration, `CONFIG_DIR/discovery/config.cfg`:
 *
 *     domain = "discovery.example.org";   behind the names of records
 *     port = 5353;                        of the servers; default: 53
 *     servers = (                         the authoritative ones, all of them
 *       { name = "dns1001"; address = "192.0.2.1"; },
 *       { name = "dns2001"; address = "192.0.2.2"; port = 53; }
 *     );
 *
 * It is needed by the calls that ask the servers only, which say so below.
 *
 * The errors, each a `discovery` error, beside those of confctl.h and dns.h:
 *
 *     discovery.missing   there is no such record, or it has no such datacenter
 *     discovery.last      it would leave a record without any datacenter
 *     discovery.server    a server answers, but it is not authoritative, or not for a client
 *     discovery.check     the servers do not tell what they should
 *
 * In a dry run nothing is written. What was to be pooled or depooled is remembered by the handle,
 * for its checks; what the servers would have told after it is reported as not known.
 */
#ifndef SPICERACK_DISCOVERY_H
#define SPICERACK_DISCOVERY_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_scope;

/* One record or several, which are changed together. Plain data that belongs to the run. */
struct spk_discovery;

/* The address that a server answered with. */
struct spk_discovery_answer {
	const char *server; /* its name in the configuration */
	const char *record; /* without the domain */
	const char *address;
	spk_duration ttl;
};

typedef struct spk_discovery_answers {
	const struct spk_discovery_answer *items;
	size_t count;
} spk_discovery_answers;

/*
 * One record, by its name without the domain. Reads nothing yet. Raises misuse for an empty name.
 * Since 1.0. Source: spicerack.discovery().
 */
SPK_API struct spk_discovery *spk_discovery(struct spk *spk, const char *record);
/* Several of them; one at least. Since 1.0. */
SPK_API struct spk_discovery *spk_discovery_of(struct spk *spk, spk_strings records);
/* Their names. Since 1.0. */
SPK_API spk_strings spk_discovery_records(const struct spk_discovery *discovery);

/*
 * The datacenters in which a record is pooled, sorted; perhaps none. Raises `discovery.missing`,
 * also when the record is none of the handle's. Since 1.0. Source: Discovery.active_datacenters.
 */
SPK_API spk_strings spk_discovery_active(struct spk_discovery *discovery, const char *record);
/* All datacenters of a record, pooled or not, sorted. Raises as above. Since 1.0. */
SPK_API spk_strings spk_discovery_datacenters(struct spk_discovery *discovery, const char *record);
/*
 * Whether all records are pooled in a datacenter. Raises `discovery.missing`. Since 1.0.
 */
SPK_API bool spk_discovery_pooled(struct spk_discovery *discovery, const char *datacenter);

/*
 * Pools all records in a datacenter. Those that are pooled already are left as they are. Raises
 * `discovery.missing` before anything is written. Since 1.0. Source: Discovery.pool().
 */
SPK_API void spk_discovery_pool(struct spk_discovery *discovery, const char *datacenter);
/*
 * Depools them, when spk_discovery_check_depoolable() finds nothing against it. Since 1.0. Source:
 * Discovery.depool().
 */
SPK_API void spk_discovery_depool(struct spk_discovery *discovery, const char *datacenter);
/* One or the other, for a state that was remembered or given. Since 1.0. */
SPK_API void spk_discovery_set_pooled(struct spk_discovery *discovery, const char *datacenter,
				      bool pooled);
/*
 * Raises `discovery.last`, naming the records, when one of them is pooled in this datacenter and
 * nowhere else. In a dry run it takes account of what this handle would have pooled and depooled
 * before. Since 1.0. Source: Discovery.check_if_depoolable().
 */
SPK_API void spk_discovery_check_depoolable(struct spk_discovery *discovery,
					    const char *datacenter);
/*
 * Depools them and, at the end of the scope, pools those again that were pooled:
 *
 *     SPK_SCOPED(spk_discovery_depooled(discovery, "codfw"));
 *
 * Since 1.0.
 */
SPK_API struct spk_scope *spk_discovery_depooled(struct spk_discovery *discovery,
						 const char *datacenter);

/*
 * Sets the time that resolvers may remember the answers for, in all datacenters, whole seconds of
 * at least 1, then waits until the servers tell it. Needs the configuration of the servers. Raises
 * as spk_discovery_check_ttl(). Since 1.0. Source: Discovery.update_ttl().
 */
SPK_API void spk_discovery_update_ttl(struct spk_discovery *discovery, spk_duration ttl);
/*
 * Waits until all servers tell this time for all records: 10 tries, 3 s apart. Raises
 * `discovery.check`, and `discovery.server`. In a dry run one that is told otherwise is reported as
 * not known. Needs the configuration of the servers. Since 1.0. Source: Discovery.check_ttl().
 */
SPK_API void spk_discovery_check_ttl(struct spk_discovery *discovery, spk_duration ttl);

/* The names of the authoritative servers, in the order of the configuration. Since 1.0. */
SPK_API spk_strings spk_discovery_servers(struct spk *spk);
/*
 * The one address of a full name, asked of the first of the servers. Raises `dns.*`; several are
 * `dns.ambiguous`. Needs the configuration of the servers. Since 1.0. Source:
 * Discovery.resolve_address().
 */
SPK_API const char *spk_discovery_resolve_address(struct spk_discovery *discovery,
						  const char *name);
/*
 * What each of the servers answers for each of the records, by type A. Raises `dns.*` and
 * `discovery.server`. Needs the configuration of the servers. Since 1.0. Source:
 * Discovery.resolve().
 */
SPK_API spk_discovery_answers spk_discovery_resolve(struct spk_discovery *discovery);
/*
 * Waits until all servers answer for a record with the address of a full name: 10 tries, 3 s apart.
 * The record may be given with the domain behind it. Raises `discovery.check`, naming the servers
 * that do not and what they answer. In a dry run these are reported as not known. Needs the
 * configuration of the servers. Since 1.0. Source: Discovery.check_record().
 */
SPK_API void spk_discovery_check_record(struct spk_discovery *discovery, const char *record,
					const char *name);
/*
 * What each of the servers answers to a client of this address, as spk_dns_options.client. Raises
 * `discovery.missing` for a record that is none of the handle's, `discovery.server` when a server
 * takes no heed of clients. Needs the configuration of the servers. Since 1.0. Source:
 * Discovery.resolve_with_client_ip().
 */
SPK_API spk_discovery_answers spk_discovery_resolve_for(struct spk_discovery *discovery,
							const char *record, const char *client);

#ifdef __cplusplus
}
#endif

#endif
