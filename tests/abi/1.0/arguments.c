/* arguments: three arguments, with choices, a default, rules and a value that nobody gives. */
#include <spicerack/cookbook.h>

struct arguments {
	const char *service, *datacenter;
	spk_duration grace;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct arguments, service, .help = "service to act on",
		       .pattern = "[a-z-]+"),
	SPK_POSITIONAL(struct arguments, datacenter, .choices = SPK_LIST("codfw", "eqiad"),
		       .help = "one of %(choices)s"),
	SPK_OPTION(struct arguments, grace, .letter = 'g', SPK_DEFAULT(SPK_MINUTES(2)),
		   SPK_AT_MOST(3600), .help = "wait this long (default: %(default)s)"),
};

static int run(struct spk *spk, void *self)
{
	const struct arguments *given = self;

	spk_info(spk, "%s in %s, %s, %s", given->service, given->datacenter,
		 spk_duration_text(spk, given->grace),
		 spk_given(spk, &given->grace) ? "given" : "by default");
	return 0;
}

SPK_COOKBOOK(.title = "Three arguments", .owner = "First version", SPK_ARGS(struct arguments, args),
	     .run = run);
