/* samples.greet: one argument, in 20 lines. */
#include <spicerack/cookbook.h>

struct greet {
	const char *name;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct greet, name, .help = "whom to greet"),
};

static int run(struct spk *spk, void *self)
{
	const struct greet *greet = self;

	spk_info(spk, "hello %s", greet->name);
	return 0;
}

SPK_COOKBOOK(.title = "Greet somebody", SPK_ARGS(struct greet, args), .run = run);
