/* samples.within: run other cookbooks inside this run. */
#include <spicerack/cookbook.h>

struct within {
	spk_strings names;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct within, names, .arity = SPK_ONE_OR_MORE, .metavar = "NAME",
		       .help = "whom to greet"),
};

static int run(struct spk *spk, void *self)
{
	const struct within *within = self;
	size_t skipped = 0;

	for (size_t i = 0; i < within->names.count; i++)
		if (!spk_run_cookbook_confirm(spk, "samples.greet",
					      SPK_STRINGS(within->names.items[i])))
			skipped++;
	return skipped > 0;
}

SPK_COOKBOOK(.title = "Greet several", SPK_ARGS(struct within, args), .timeout = SPK_MINUTES(5),
	     .run = run);
