/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: bool or another enumeration
 * shape: an action without a method (O: action without method x2)
 * caught: compiler (gcc, clang)
 * words: not handled in switch
 * run: depool
 */
#include <spicerack/cookbook.h>

enum action { POOL, DEPOOL };

struct mistake {
	const char *action;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct mistake, action, .choices = SPK_LIST("pool", "depool")),
};

static int run(struct spk *spk, void *self)
{
	const struct mistake *mistake = self;
	enum action action = spk_streq(mistake->action, "pool") ? POOL : DEPOOL;

	switch (action) {
	case POOL:
		spk_info(spk, "pooling");
		break;
#ifdef FIXED
	case DEPOOL:
		spk_info(spk, "depooling");
		break;
#endif
	}
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
