/* SPDX-License-Identifier: Apache-2.0 */
/* hosts.rolling-restart: restart a service host by host, as long as it comes back healthy. */

#include <spicerack/cookbook.h>

struct restart {
	const char *query, *service, *health_command;
	int batch_size, max_failed;
	spk_duration batch_sleep, health_timeout;
	bool sudo;

	struct spk_remote *hosts;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct restart, query, .help = "which hosts"),
	SPK_POSITIONAL(struct restart, service, .pattern = "[A-Za-z0-9@:._\\\\-]+",
		       .help = "the unit of systemd to restart"),
	SPK_OPTION(struct restart, batch_size, .letter = 'b', SPK_DEFAULT(1), SPK_AT_LEAST(1),
		   .help = "how many hosts restart it at a time (default: %(default)s)"),
	SPK_OPTION(struct restart, batch_sleep, .letter = 's', SPK_DEFAULT(SPK_SECONDS(10)),
		   SPK_AT_LEAST(0), .help = "how long to wait between them (default: %(default)s)"),
	SPK_OPTION(struct restart, max_failed, SPK_DEFAULT(0), SPK_AT_LEAST(0),
		   .help = "go on while no more hosts than these have failed (default: "
			   "%(default)s)"),
	SPK_OPTION(struct restart, health_command,
		   .help = "what exits with 0 on a healthy host, instead of systemctl is-active"),
	SPK_OPTION(struct restart, health_timeout, SPK_DEFAULT(SPK_SECONDS(60)), SPK_AT_LEAST(1),
		   .help = "how long a host may take to be healthy (default: %(default)s)"),
	SPK_OPTION(struct restart, sudo, .letter = 'u', .help = "as root, by sudo"),
};

static const char *health_of(struct spk *spk, const struct restart *restart)
{
	if (restart->health_command)
		return restart->health_command;
	return spk_shell_format(spk, "systemctl is-active --quiet -- %s", restart->service);
}

/* Where it is not healthy before, a restart in turns is the wrong tool. */
static void prepare(struct spk *spk, void *self)
{
	struct restart *restart = self;
	struct spk_remote *hosts = spk_remote_query(spk, restart->query);

	restart->hosts = restart->sudo ? spk_remote_with_sudo(hosts) : hosts;
	spk_remote_read_all(restart->hosts,
			    SPK_REMOTE(health_of(spk, restart), .timeout = SPK_SECONDS(30)));
}

static const char *describe(struct spk *spk, const void *self)
{
	const struct restart *restart = self;

	return spk_format(spk, "of %s on %.200s", restart->service,
			  spk_hosts_fold(spk_remote_hosts(restart->hosts)));
}

static void lock(struct spk *spk, const void *self, struct spk_lock_args *lock)
{
	const struct restart *restart = self;

	lock->suffix = restart->service;
	lock->concurrency = 1;
}

/* On each host: the restart, and then the question whether it is healthy, until the time is up. */
static int run(struct spk *spk, void *self)
{
	struct restart *restart = self;
	size_t all = spk_remote_count(restart->hosts);
	size_t may_fail = (size_t)restart->max_failed < all ? (size_t)restart->max_failed : all;
	const char *wait = spk_shell_format(spk, "/bin/sh -c %s health %s",
					    "until /bin/sh -c \"$1\"; do sleep 1; done",
					    health_of(spk, restart));
	const struct spk_remote_results *results = spk_remote_run_all(
		restart->hosts,
		SPK_REMOTE(NULL,
			   .commands = SPK_REMOTE_COMMANDS(
				   SPK_REMOTE_COMMAND(spk_shell_format(
					   spk, "systemctl restart -- %s", restart->service)),
				   SPK_REMOTE_COMMAND(wait, .timeout = restart->health_timeout)),
			   .mode = SPK_REMOTE_ASYNC, .batch = SPK_HOSTS(restart->batch_size),
			   .batch_sleep = restart->batch_sleep,
			   .threshold = SPK_HOSTS(all - may_fail)));
	size_t failed = spk_hosts_count(spk_remote_failed(results));

	if (failed)
		spk_warn(spk, "not healthy, see to them: %s",
			 spk_hosts_fold(spk_remote_failed(results)));
	return failed ? 1 : 0;
}

SPK_COOKBOOK(.title = "Restart a service host by host, and stop when it does not come back",
	     SPK_ARGS(struct restart, args), .prepare = prepare, .describe = describe, .lock = lock,
	     .run = run);
