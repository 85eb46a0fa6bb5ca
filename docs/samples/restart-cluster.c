/* samples.restart-cluster: restarts a web server behind its load balancer. */
#include <spicerack/cookbook.h>

struct restart_cluster {
	const char *site;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct restart_cluster, site, .choices_from = "sites.core"),
};

static int run(struct spk *spk, void *self)
{
	const struct restart_cluster *wanted = self;
	struct spk_cluster *web = spk_cluster(
		spk_confctl(spk, "node"), SPK_CONF_TAGS({"dc", wanted->site}, {"cluster", "web"}));

	spk_cluster_restart_services(
		web, SPK_STRINGS("nginx"),
		SPK_REMOTE(NULL, .batch = SPK_PERCENT(10), .batch_sleep = SPK_SECONDS(30)),
		SPK_CLUSTER(.depool = SPK_STRINGS("nginx"), .max_failed = 1));
	return 0;
}

SPK_COOKBOOK(.title = "Restart the web servers of a site, depooled",
	     SPK_ARGS(struct restart_cluster, args), .run = run);
