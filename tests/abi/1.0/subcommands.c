/* subcommands: two of them, in a union, one with an exclusive group and a rule. */
#include <spicerack/cookbook.h>

struct set {
	const char *host, *text, *unlike;
	bool loud;
	int times;
};

struct clear {
	const char *host;
};

struct banner {
	const char *command;
	union {
		struct set set;
		struct clear clear;
	};
};

static const struct spk_group how = SPK_EXCLUSIVE(.title = NULL);

static const struct spk_arg set_args[] = {
	SPK_POSITIONAL(struct set, host, .help = "host that gets the banner"),
	SPK_OPTION(struct set, text, .required = true, .help = "what it says"),
	SPK_OPTION(struct set, unlike, .help = "what it must not say"),
	SPK_OPTION(struct set, loud, .group = &how, .help = "in capitals"),
	SPK_OPTION(struct set, times, .group = &how, SPK_RANGE(1, 3), SPK_DEFAULT(1)),
};

static const struct spk_arg clear_args[] = {
	SPK_POSITIONAL(struct clear, host, .help = "host that loses it"),
};

static const struct spk_subcommand subcommands[] = {
	SPK_SUBCOMMAND(struct banner, set, "set", set_args, .help = "put a banner up"),
	SPK_SUBCOMMAND(struct banner, clear, "clear", clear_args, .help = "take it down"),
};

static const struct spk_rule rules[] = {
	SPK_DIFFER(struct banner, set.text, set.unlike),
};

static int run(struct spk *spk, void *self)
{
	const struct banner *banner = self;

	if (spk_streq(banner->command, "clear")) {
		spk_info(spk, "%s says nothing", banner->clear.host);
		return 0;
	}
	for (int i = 0; i < banner->set.times; i++)
		spk_info(spk, "%s says: %s", banner->set.host,
			 banner->set.loud ? spk_upper(spk, banner->set.text) : banner->set.text);
	return 0;
}

SPK_COOKBOOK(.title = "Put banners up and down", SPK_STATE(struct banner), SPK_RULES(rules),
	     SPK_SUBCOMMANDS(struct banner, command, subcommands), .run = run);
