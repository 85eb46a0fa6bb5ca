/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: wrong type or shape
 * shape: a comparison of two types that is never true
 * caught: compiler (gcc, clang)
 * words: comparison with string literal|comparison against a string literal
 * run: pool
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *action;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct mistake, action, .choices = SPK_LIST("pool", "depool")),
};

static int run(struct spk *spk, void *self)
{
	const struct mistake *mistake = self;

#ifdef FIXED
	if (spk_streq(mistake->action, "pool"))
#else
	if (mistake->action == "pool")
#endif
		spk_info(spk, "pooling");
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
