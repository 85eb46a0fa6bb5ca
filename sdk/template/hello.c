/* group.hello: a cookbook to start from. */
#include <spicerack/cookbook.h>

struct hello {
	const char *name;
	int times;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct hello, name, .help = "whom to greet"),
	SPK_OPTION(struct hello, times, .letter = 'n', SPK_DEFAULT(1), SPK_AT_LEAST(1),
		   .help = "how often"),
};

static int run(struct spk *spk, void *self)
{
	const struct hello *hello = self;

	for (int i = 0; i < hello->times; i++)
		spk_info(spk, "hello %s", hello->name);
	return 0;
}

SPK_COOKBOOK(.title = "Greet somebody", .owner = "My Team", SPK_ARGS(struct hello, args),
	     .run = run);
