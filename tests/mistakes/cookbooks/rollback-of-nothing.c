/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: not set on every path
 * shape: rollback uses what run had not set yet (eb42de8)
 * caught: run (93)
 * words: SIGSEGV
 */
#include <spicerack/cookbook.h>
#include <string.h>

struct mistake {
	bool quick;
	const char *before;
};

static const struct spk_arg args[] = {
	SPK_OPTION(struct mistake, quick),
};

static int run(struct spk *spk, void *self)
{
	struct mistake *mistake = self;

#ifdef FIXED
	return 0;
#endif
	if (!mistake->quick)
		spk_fail(spk, "too early");
	mistake->before = "state";
	return 0;
}

static void rollback(struct spk *spk, void *self)
{
	const struct mistake *mistake = self;

	spk_info(spk, "back to %zu bytes", strlen(mistake->before));
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run,
	     .rollback = rollback);
