/* samples.upgrade: another version of the application, host by host, each out of its pool
 * meanwhile. */
#include <spicerack/cookbook.h>

struct upgrade {
	const char *query, *version;
	struct spk_remote *hosts;
	const char *before; /* the version that was there */
	bool begun;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct upgrade, query, .help = "hosts, such as 'D{web[1-9]}'"),
	SPK_POSITIONAL(struct upgrade, version, .help = "version of the package"),
};

static void prepare(struct spk *spk, void *self)
{
	struct upgrade *upgrade = self;

	upgrade->hosts = spk_remote_query(spk, upgrade->query);
	upgrade->before = spk_remote_first_output(
		spk_remote_read(upgrade->hosts, "dpkg-query -W -f '${Version}' app"));
	if (spk_streq(upgrade->before, upgrade->version))
		spk_done(spk, "%s is there already", upgrade->version);
}

static void pool(struct spk *spk, void *host)
{
	spk_remote_run(host, "pool");
}

static void upgrade_host(struct spk *spk, struct spk_remote *host, const char *version)
{
	const char *name = spk_hosts_fold(spk_remote_hosts(host));

	/* Said before it is done: after a crash in between it is undone, too. */
	SPK_SCOPED(spk_scope_open(spk, spk_format(spk, "%s is pooled", name), pool, host));
	spk_remote_run(host, "depool");
	spk_remote_run(host, "apt-get -qy install app=%s", version);
	spk_sleep(spk, SPK_MINUTES(1)); /* until it has filled its cache */
	spk_remote_run(host, "curl -sf http://localhost/health");
}

static int run(struct spk *spk, void *self)
{
	struct upgrade *upgrade = self;
	spk_remote_list each = spk_remote_split(upgrade->hosts, spk_remote_count(upgrade->hosts));

	spk_ask_confirmation_as(spk, "go-on", "Replace %s by %s?", upgrade->before,
				upgrade->version);
	upgrade->begun = true;
	for (size_t i = 0; i < each.count; i++)
		upgrade_host(spk, each.items[i], upgrade->version);
	return 0;
}

static void rollback(struct spk *spk, void *self)
{
	const struct upgrade *upgrade = self;

	if (upgrade->begun)
		spk_remote_run(upgrade->hosts, "apt-get -qy --allow-downgrades install app=%s",
			       upgrade->before);
}

SPK_COOKBOOK(.title = "Upgrade the application host by host", SPK_ARGS(struct upgrade, args),
	     .max_concurrency = 1, .prepare = prepare, .run = run, .rollback = rollback);
