/* samples.subcommands: one cookbook that can do two things. */
#include <spicerack/cookbook.h>

struct set {
	const char *host, *text;
};

struct clear {
	const char *host;
};

struct banner {
	const char *command; /* "set" or "clear" */
	union {
		struct set set;
		struct clear clear;
	};
};

static const struct spk_arg set_args[] = {
	SPK_POSITIONAL(struct set, host, .help = "host that gets the banner"),
	SPK_POSITIONAL(struct set, text, .help = "what it says"),
};

static const struct spk_arg clear_args[] = {
	SPK_POSITIONAL(struct clear, host, .help = "host that loses it"),
};

static const struct spk_subcommand subcommands[] = {
	SPK_SUBCOMMAND(struct banner, set, "set", set_args, .help = "put a banner up"),
	SPK_SUBCOMMAND(struct banner, clear, "clear", clear_args, .help = "take it down"),
};

static int run(struct spk *spk, void *self)
{
	const struct banner *banner = self;

	if (spk_streq(banner->command, "set"))
		spk_info(spk, "%s says: %s", banner->set.host, banner->set.text);
	else
		spk_info(spk, "%s says nothing", banner->clear.host);
	return 0;
}

SPK_COOKBOOK(.title = "Put banners up and down", SPK_STATE(struct banner),
	     SPK_SUBCOMMANDS(struct banner, command, subcommands), .run = run);
