/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the DNS, asked of servers as they are, with no search list and no /etc/hosts: for the
 * host behind an alias, for addresses and their names, and for what an authoritative server tells.
 *
 *     const struct spk_dns *dns = spk_dns(spk, NULL);
 *     const char *active = spk_dns_resolve_cname(dns, "puppet.example.org");
 *
 * A name is absolute, with a final dot or without; names in answers have none. All calls only read,
 * in a dry run, too. The errors, each a `dns` error, tell apart what an operator does about them:
 *
 *     dns.missing.name      there is no such name (NXDOMAIN)
 *     dns.missing.records   there is the name, but no records of that type
 *     dns.server            the servers refuse or fail, or what they answer cannot be understood
 *     dns.timeout           no server answered in time
 *     dns.ambiguous         there are several where one is asked for
 *     dns.invalid           the name, address or server that was given is none
 *
 * spk_error_is(error, "dns.missing") covers the first two. A name that is an alias is followed as
 * far as the answer leads. Each question and its answer is logged at DEBUG.
 */
#ifndef SPICERACK_DNS_H
#define SPICERACK_DNS_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;

/* Whom to ask, and how. Plain data that belongs to the run. */
struct spk_dns;

/* Types of records, with their numbers in the DNS. Any other number may be asked for as well. */
enum spk_dns_type {
	SPK_DNS_A = 1,
	SPK_DNS_NS = 2,
	SPK_DNS_CNAME = 5,
	SPK_DNS_SOA = 6,
	SPK_DNS_PTR = 12,
	SPK_DNS_MX = 15,
	SPK_DNS_TXT = 16,
	SPK_DNS_AAAA = 28,
	SPK_DNS_SRV = 33,
};

/* How to ask. A member left out has its default. */
struct spk_dns_options {
	uint32_t size; /* set by SPK_DNS() */
	uint16_t port; /* of servers that are given without one; default: 53 */
	bool tcp; /* over TCP at once; default: over UDP, and TCP when an answer is cut short */
	bool reserved;
	/*
	 * Addresses, asked in this order until one answers: `192.0.2.1`, `192.0.2.1:5353`,
	 * `2001:db8::1`, `[2001:db8::1]:5353`. Default: `servers` of `CONFIG_DIR/dns/config.cfg`
	 * where it is set, else those of the system, /etc/resolv.conf.
	 */
	spk_strings servers;
	spk_duration timeout; /* for a whole question, whatever it takes; default: 5 s */
	/*
	 * The address of a client, or its network as in `192.0.2.0/24`, on whose behalf to ask
	 * (EDNS client subnet, RFC 7871). Of an address the first 24 or 56 bits are told, as
	 * resolvers do. Default: none.
	 */
	const char *client;
};

/* SPK_DNS(.servers = SPK_STRINGS("192.0.2.1"), .port = 5353) */
#define SPK_DNS(...)                                                                               \
	(&(const struct spk_dns_options){.size = sizeof(struct spk_dns_options), ##__VA_ARGS__})

/* One record. */
struct spk_dns_record {
	const char *name; /* whose it is: of an alias, the one behind it */
	/*
	 * A, AAAA: the address. NS, CNAME, PTR, MX, SRV: the name. TXT: its strings, joined.
	 * Others: as in a zone file.
	 */
	const char *text;
	spk_duration ttl;
	uint32_t type;
	uint16_t priority; /* of MX and SRV */
	uint16_t weight;   /* of SRV, as the port */
	uint16_t port;
	uint16_t reserved[3];
};

/* What came of a question: one record at least. */
struct spk_dns_answer {
	const struct spk_dns_record *records;
	size_t count;
	spk_duration ttl; /* the smallest one, those of the aliases on the way included */
	bool authoritative;
	/*
	 * For a client: how many bits of its address the answer is for, 0 when it is the same for
	 * all; -1 when the server took no heed of the client.
	 */
	int client_scope;
};

/*
 * Makes a resolver; nothing is asked yet. `how` NULL is SPK_DNS(). Raises `dns.invalid` for a
 * server or a client that is no address, and `config.*` for the configuration. Since 1.0.
 * Source: spicerack.dns.Dns.
 */
SPK_API const struct spk_dns *spk_dns(struct spk *spk, const struct spk_dns_options *how);

/*
 * The records of a name and a type, enum spk_dns_type or another number of the DNS. They are in the
 * order of the answer. Raises as said above, and `interrupted`. Since 1.0. Source: Dns.resolve().
 */
SPK_API const struct spk_dns_answer *spk_dns_resolve(const struct spk_dns *dns, const char *name,
						     unsigned int type);

/* The IPv4 addresses of a name. Raises as spk_dns_resolve(). Since 1.0. Source: Dns.resolve_ipv4().
 */
SPK_API spk_strings spk_dns_resolve_ipv4(const struct spk_dns *dns, const char *name);
/* The IPv6 addresses of a name, in their short form. Likewise. Since 1.0. */
SPK_API spk_strings spk_dns_resolve_ipv6(const struct spk_dns *dns, const char *name);
/*
 * Its IPv4 addresses, then those of IPv6; there may be none of one of the two. Raises
 * `dns.missing.*` when there are none at all. Since 1.0. Source: Dns.resolve_ips().
 */
SPK_API spk_strings spk_dns_resolve_ips(const struct spk_dns *dns, const char *name);
/* The names of an address of either kind, by its PTR records. Since 1.0. Source:
 * Dns.resolve_ptr(). */
SPK_API spk_strings spk_dns_resolve_ptr(const struct spk_dns *dns, const char *address);
/*
 * The name that a name is an alias of, as it is said there: the next one, not the last. Raises
 * `dns.ambiguous` when there are several. Since 1.0. Source: Dns.resolve_cname().
 */
SPK_API const char *spk_dns_resolve_cname(const struct spk_dns *dns, const char *name);
/* The texts of a name, by its TXT records. Since 1.0. */
SPK_API spk_strings spk_dns_resolve_txt(const struct spk_dns *dns, const char *name);
/*
 * Where a service is, `_etcd._tcp.example.org`, by its SRV records: the ones to be tried first come
 * first (priority, then weight). Raises `dns.missing.records` also when it is said that there is no
 * such service. Since 1.0.
 */
SPK_API const struct spk_dns_answer *spk_dns_resolve_srv(const struct spk_dns *dns,
							 const char *name);

#ifdef __cplusplus
}
#endif

#endif
