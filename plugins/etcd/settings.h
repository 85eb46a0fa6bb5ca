/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the client is told: YAML files with the keys of the reference's client (python-etcd), the
 * user's over the host's. Files are read with suspicion; an error names file and line.
 */
#ifndef SPICERACK_ETCD_SETTINGS_H
#define SPICERACK_ETCD_SETTINGS_H

#include <spicerack/plugin.h>

#include "hosts.h"

#define NS_PER_SECOND INT64_C(1000000000)

/* Rounded up. */
static inline int64_t whole_seconds(int64_t ns)
{
	return (ns + NS_PER_SECOND - 1) / NS_PER_SECOND;
}

struct settings {
	int api;            /* 2 or 3 */
	struct hosts hosts; /* none only where there is a srv_domain */
	unsigned port;
	char *srv_domain; /* where the members are found instead, if they are; NULL: nowhere */
	bool https, redirect, reconnect, proxies;
	bool reconnect_given;
	char *ca, *cert, *key; /* paths; NULL: none */
	char *username, *password;
	char *version_prefix;    /* of v2: "/v2" */
	uint64_t cluster;        /* the one that is expected; 0: any */
	int64_t read_timeout_ns; /* the most that one answer may take */
	int64_t lease_ns;        /* how long a lock stays when nobody renews it */
	size_t answer_limit;     /* in bytes; a longer one is none */
};

/* Fills *settings from what open() was given. -1 and a reason; settings_free() in any case. */
int settings_read(const struct spk_lock_setting *given, size_t count, struct settings *settings,
		  struct spk_reason_buffer *reason);

/*
 * The same in steps: what there is without a file, `api` being "2", "3" or NULL; a file laid over
 * that, which need not exist if it is `optional`; what only the whole can tell.
 */
int settings_begin(const char *api, struct settings *settings, struct spk_reason_buffer *reason);
int settings_read_file(const char *path, bool optional, struct settings *settings,
		       struct spk_reason_buffer *reason);
int settings_end(struct settings *settings, struct spk_reason_buffer *reason);

/*
 * Lays the keys of a YAML text over *settings. `path` is only named in the reason; *ret_secret
 * tells whether there is a password in it.
 */
int settings_read_text(const char *path, const char *text, size_t length, struct settings *settings,
		       bool *ret_secret, struct spk_reason_buffer *reason);

/* Wipes it, too. */
void settings_free(struct settings *settings);

#endif
