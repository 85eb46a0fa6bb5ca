/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: not set on every path
 * shape: a name bound in one branch only (a3c10f8, 1014208)
 * caught: compiler (clang)
 * words: uninitialized
 * run: depool
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
	int state;

	if (spk_streq(mistake->action, "pool"))
		state = 1;
#ifdef FIXED
	else
		state = 0;
#endif
	spk_info(spk, "state %d", state);
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
