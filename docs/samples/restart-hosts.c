/* samples.restart-hosts: restart a service on many hosts, some at a time, and see that it runs. */
#include <spicerack/cookbook.h>

struct restart_hosts {
	const char *query, *service;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct restart_hosts, query, .help = "hosts, such as 'D{web[1-9]}'"),
	SPK_POSITIONAL(struct restart_hosts, service, .help = "the unit of systemd"),
};

static void prepare(struct spk *spk, void *self)
{
	const struct restart_hosts *wanted = self;
	struct spk_remote *hosts = spk_remote_query(spk, wanted->query);

	/* Only reads, so it runs in dry-run, too. %s becomes one word of the shell, whatever it is.
	 */
	spk_remote_read(hosts, "systemctl cat -- %s >/dev/null", wanted->service);
}

static int run(struct spk *spk, void *self)
{
	const struct restart_hosts *wanted = self;
	struct spk_remote *hosts = spk_remote_query(spk, wanted->query);
	const char *restart = spk_shell_format(spk, "systemctl restart -- %s", wanted->service);
	const struct spk_remote_results *results;

	results = spk_remote_run_all(
		hosts, SPK_REMOTE(restart, .sudo = true, .batch = SPK_PERCENT(10),
				  .batch_sleep = SPK_SECONDS(5), .timeout = SPK_MINUTES(2),
				  .threshold = SPK_PERCENT(95)));
	/* Met, the threshold raises nothing; who failed all the same is in the results. */
	if (spk_hosts_count(spk_remote_failed(results)))
		spk_warn(spk, "look after %s", spk_hosts_fold(spk_remote_failed(results)));
	return 0;
}

SPK_COOKBOOK(.title = "Restart a service on many hosts", SPK_ARGS(struct restart_hosts, args),
	     .prepare = prepare, .run = run);
