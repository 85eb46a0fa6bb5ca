/* samples.drain-service: takes servers out of a pool while they are restarted. */
#include <spicerack/cookbook.h>

struct drain {
	const char *site;
	spk_strings servers;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct drain, site, .help = "where they are"),
	SPK_POSITIONAL(struct drain, servers, .help = "their names"),
};

static int run(struct spk *spk, void *self)
{
	const struct drain *drain = self;
	struct spk_confctl *nodes = spk_confctl(spk, "node");
	const char *names = spk_confctl_names(spk, drain->servers);

	SPK_SCOPED(spk_confctl_changed(
		nodes, "pooled", SPK_CONF("yes"), SPK_CONF("no"),
		SPK_CONF_TAGS({"dc", drain->site}, {"service", "apache2|nginx"}, {"name", names})));
	spk_info(spk, "restarting %s", spk_join(spk, ", ", drain->servers));
	return 0;
}

SPK_COOKBOOK(.title = "Restart servers out of their pools", SPK_ARGS(struct drain, args),
	     .run = run);
