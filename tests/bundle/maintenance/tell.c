/* maintenance.tell: says that the bundle is there. */
#include <spicerack/cookbook.h>

#include "lib/words.h"

struct tell {
	const char *what;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct tell, what, .help = "what to tell"),
};

static int run(struct spk *spk, void *self)
{
	const struct tell *tell = self;

	spk_info(spk, "%s", words_told(spk, tell->what));
	return 0;
}

SPK_COOKBOOK(.title = "Tell something", SPK_ARGS(struct tell, args), .run = run);
