/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done to hosts most often, over remote.h: reboots, services, packages, files.
 *
 *     spk_time before = spk_now();
 *
 *     spk_remote_reboot(hosts, NULL);
 *     spk_remote_wait_reboot_since(hosts, before);
 *     spk_apt_get_install(hosts, SPK_STRINGS("nginx"), SPK_REMOTE(NULL, .batch = SPK_HOSTS(5)));
 *
 * `how` are the options of the execution, without a command: SPK_REMOTE(NULL, ...), or NULL for the
 * defaults. All of it wants root on the hosts: log in as root, or see spk_remote_with_sudo(). What
 * changes something does nothing in dry-run, and raises as spk_remote_run_all() does.
 */
#ifndef SPICERACK_FLEET_H
#define SPICERACK_FLEET_H

#include <spicerack/remote.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Has the hosts reboot, by `reboot_command` of remote/config.cfg, and does not wait for that: it
 * returns when the command has, within 30 s. Defaults: one host at a time, with 180 s before the
 * next. Since 1.0.
 */
SPK_API const struct spk_remote_results *spk_remote_reboot(const struct spk_remote *remote,
							   const struct spk_remote_options *how);

/* How long a host has been up. */
struct spk_remote_uptime {
	const char *host;
	spk_duration uptime;
};

typedef struct spk_remote_uptimes {
	const struct spk_remote_uptime *items;
	size_t count;
} spk_remote_uptimes;

/*
 * Reads how long the hosts have been up, from /proc/uptime there, within 10 s. In dry-run those
 * that failed are left out. Raises `remote.execution`, and `remote.result` for what is no uptime.
 * Since 1.0.
 */
SPK_API spk_remote_uptimes spk_remote_uptime(const struct spk_remote *remote);

/*
 * Waits until all hosts have booted since then, for at most 240 tries with 10 s between them (some
 * 40 minutes). Raises `remote.check`, which names a host that has not, or the last failure to reach
 * them. In dry-run there is one try, and only a host that is not reached raises. Since 1.0.
 */
SPK_API void spk_remote_wait_reboot_since(const struct spk_remote *remote, spk_time since);

/*
 * Restarts units of systemd, in the order of the list, each host by itself: one that fails leaves
 * the others of its host alone. Default: one host at a time. Since 1.0.
 */
SPK_API const struct spk_remote_results *spk_remote_restart_services(
	const struct spk_remote *remote, spk_strings units, const struct spk_remote_options *how);
/* The same by reloading them. Since 1.0. */
SPK_API const struct spk_remote_results *spk_remote_reload_services(
	const struct spk_remote *remote, spk_strings units, const struct spk_remote_options *how);

/* `apt-get update`: nothing is asked, and configuration files stay as they are. Since 1.0. */
SPK_API const struct spk_remote_results *spk_apt_get_update(const struct spk_remote *remote,
							    const struct spk_remote_options *how);
/* The same with `install` and packages, of which there is one at least. Since 1.0. */
SPK_API const struct spk_remote_results *spk_apt_get_install(const struct spk_remote *remote,
							     spk_strings packages,
							     const struct spk_remote_options *how);
/* The same with any words of its own: SPK_STRINGS("autoremove", "--purge"). Since 1.0. */
SPK_API const struct spk_remote_results *spk_apt_get_run(const struct spk_remote *remote,
							 spk_strings words,
							 const struct spk_remote_options *how);

/* A file on its way to hosts. A member left out has its default. */
struct spk_remote_file {
	uint32_t size;                        /* set by SPK_REMOTE_FILE() */
	uint32_t mode;                        /* permissions; default: those of the local file */
	const char *owner;                    /* USER, USER:GROUP; default: who logs in there */
	const struct spk_remote_options *how; /* default: all hosts at once */
};

/* SPK_REMOTE_FILE(.mode = 0600, .owner = "root:ssl-cert") */
#define SPK_REMOTE_FILE(...)                                                                       \
	(&(const struct spk_remote_file){.size = sizeof(struct spk_remote_file), ##__VA_ARGS__})

/*
 * Copies a local file of at most 64 MiB, which the run's memory holds until it ends, to `path` on
 * the hosts: beside it under another name, compared by its SHA-256, written through to the disk,
 * and then renamed, so that a reader there sees the old or the new one. A link at `path` is
 * replaced; its directory must be there. `file` may be NULL. Raises `remote.files` for the local
 * one. Since 1.0.
 */
SPK_API const struct spk_remote_results *spk_remote_push(const struct spk_remote *remote,
							 const char *local, const char *path,
							 const struct spk_remote_file *file);

/*
 * Copies `path` of each host to DIRECTORY/HOST, by way of a file beside it, compared by the SHA-256
 * of the host; of any size: there it takes as much room below TMPDIR. The directory is made where
 * it is missing. In dry-run nothing is copied. Raises `remote.execution` when some could not be
 * fetched, the others have been; `remote.files` for local files. Since 1.0.
 */
SPK_API const struct spk_remote_results *spk_remote_fetch(const struct spk_remote *remote,
							  const char *path, const char *directory);

#ifdef __cplusplus
}
#endif

#endif
