/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clusters of hosts behind a load balancer, and commands that go round them: a slice of the hosts
 * is depooled, the command runs there, the slice is pooled again, and it is the next one's turn.
 *
 *     struct spk_cluster *web = spk_cluster(spk_confctl(spk, "node"),
 *     					     SPK_CONF_TAGS({"dc", "dc1"}, {"cluster", "web"}));
 *
 *     spk_cluster_run(web,
 *     		    SPK_REMOTE("systemctl restart nginx", .batch = SPK_HOSTS(2),
 *     			       .batch_sleep = SPK_SECONDS(30)),
 *     		    SPK_CLUSTER(.depool = SPK_STRINGS("nginx"), .max_failed = 1));
 *
 * A host whose command failed, or whose run was interrupted, crashed or killed, is not known to
 * work: it stays depooled, with all of its slice, and the error names what. The Python host pools
 * it again. What was not pooled before is left as it is.
 *
 * Kinds of errors: `cluster.slice` (a slice would be the whole cluster), `remote.execution` (a
 * command failed; the payload are the results of all hosts), and those of remote.h and confctl.h.
 */
#ifndef SPICERACK_CLUSTER_H
#define SPICERACK_CLUSTER_H

#include <spicerack/confctl.h>
#include <spicerack/remote.h>

#ifdef __cplusplus
extern "C" {
#endif

/* It belongs to the run, and never changes. */
struct spk_cluster;

/*
 * The hosts whose objects of `nodes` match. They are looked up as a query is, see
 * spk_remote_query(): those that the inventory does not know are left out, with a warning. Raises
 * `confctl.missing`, `remote.query` when none is left, and as spk_confctl_get(). Since 1.0.
 */
SPK_API struct spk_cluster *spk_cluster(struct spk_confctl *nodes, spk_conf_tags tags);

/* All of its hosts, to run something on without depooling. Since 1.0. */
SPK_API const struct spk_remote *spk_cluster_hosts(const struct spk_cluster *cluster);

/* How a command goes round. A member left out has its default. */
struct spk_cluster_options {
	uint32_t size;       /* set by SPK_CLUSTER() */
	uint32_t max_failed; /* slices with failures after which the next one still begins; 0 */
	spk_strings depool;  /* services, by their whole names, that the hosts do not serve while
			      * it is their turn; default: none */
	bool repool_failed;  /* a slice with failures is pooled again, too */
	bool reserved[7];
};

/* SPK_CLUSTER(.depool = SPK_STRINGS("nginx", "apache2")); NULL, too, for the defaults. */
#define SPK_CLUSTER(...)                                                                           \
	(&(const struct spk_cluster_options){.size = sizeof(struct spk_cluster_options),           \
					     ##__VA_ARGS__})

/*
 * Runs commands that change something on all hosts, a slice at a time, each host its list of
 * commands. `.batch` of `how` is the size of a slice, one host by default, and less than the
 * cluster; between two slices it waits for `.batch_sleep`. All hosts of a slice have to succeed:
 * `.mode` and `.threshold` are not the caller's to set.
 *
 * Where services are depooled, objects with the cluster's other tags, one of these as "service" and
 * a host of the slice as "name" go from `pooled` yes to no; those that others changed meanwhile
 * stay as they are.
 *
 * A slice with failures is told about; more than `max_failed` of them end it. Raises
 * `remote.execution` at the end when any host failed, and what spk_confctl_changed() raises at
 * once. Returns the results of all hosts. In dry-run nothing is depooled nor run. Since 1.0.
 */
SPK_API const struct spk_remote_results *spk_cluster_run(const struct spk_cluster *cluster,
							 const struct spk_remote_options *how,
							 const struct spk_cluster_options *options);

/*
 * Restarts units of systemd like that, in the order of the list. `how` has no command: NULL, or
 * SPK_REMOTE(NULL, ...). Since 1.0.
 */
SPK_API const struct spk_remote_results *spk_cluster_restart_services(
	const struct spk_cluster *cluster, spk_strings units, const struct spk_remote_options *how,
	const struct spk_cluster_options *options);
/* The same by reloading them. Since 1.0. */
SPK_API const struct spk_remote_results *spk_cluster_reload_services(
	const struct spk_cluster *cluster, spk_strings units, const struct spk_remote_options *how,
	const struct spk_cluster_options *options);

#ifdef __cplusplus
}
#endif

#endif
