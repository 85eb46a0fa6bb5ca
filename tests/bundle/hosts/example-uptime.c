/* hosts.example-uptime: asks hosts for how long they have been up. */
#include <spicerack/cookbook.h>

struct uptime {
	const char *query;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct uptime, query, .help = "which hosts"),
};

static int run(struct spk *spk, void *self)
{
	const struct uptime *uptime = self;

	spk_remote_read_all(spk_remote_query(spk, uptime->query), SPK_REMOTE("uptime"));
	return 0;
}

SPK_COOKBOOK(.title = "Ask hosts for their uptime", SPK_ARGS(struct uptime, args), .run = run);
