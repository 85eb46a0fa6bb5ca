/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where hosts are found: the backends that queries (query.h) may ask, which are drivers of the kind
 * "inventory" but for D, and the aliases, as they are configured.
 *
 * `spicerack_config_dir`/remote/config.cfg:
 *
 *     default_backend = "P";          a letter, "" for none; it is D where the key is not set
 *     backends = (
 *       { letter = "P"; driver = "puppetdb"; host = "puppetdb.example.org"; },
 *       { letter = "S"; driver = "static"; file = "/etc/spicerack/remote/hosts.yaml"; }
 *     );
 *
 * All but `letter` and `driver` is the driver's. K (knownhosts) and P (puppetdb) are there without
 * being listed, with the defaults of their drivers.
 *
 * `spicerack_config_dir`/remote/aliases.cfg:
 *
 *     aliases = ( { name = "db-core"; query = "P{P:mariadb::core}"; } );
 *
 * A driver is opened when it is first asked, and belongs to the process that asked.
 */
#ifndef SPICERACK_CORE_INVENTORY_H
#define SPICERACK_CORE_INVENTORY_H

#include "hostset.h"
#include "remoteconfig.h"

struct inventory;

/* Reads the aliases. `config` must stay. *ret is the caller's, for inventory_close(). */
MUST_CHECK int inventory_open(const struct remote_config *config, struct inventory **ret,
			      struct err *err);
void inventory_close(struct inventory *inventory);

/*
 * The hosts of a query; none is an error. It takes until `deadline_ns` of CLOCK_BOOTTIME at most,
 * and not much longer once `cancel_fd` (-1: none) is readable: it fails then. *ret is the caller's,
 * for hostset_free().
 */
MUST_CHECK int inventory_find(struct inventory *inventory, const char *query, int64_t deadline_ns,
			      int cancel_fd, struct hostset **ret, struct err *err);

/*
 * What can be told without asking a server: each alias with its query, and each host whose name
 * begins so and that files tell of (known_hosts and inventories, `about` is NULL), the default
 * backend's or, where that is D, K's. What cannot be read tells of nothing.
 */
typedef void inventory_visitor(void *data, const char *name, const char *about);
void inventory_aliases(const struct inventory *inventory, inventory_visitor *visitor, void *data);
void inventory_known(struct inventory *inventory, const char *beginning, int64_t deadline_ns,
		     inventory_visitor *visitor, void *data);

#endif
