/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: a default that its pattern refuses
 * caught: check (argument-default)
 * words: must match
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *release;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, release, SPK_DEFAULT("1.0"), .pattern = "[0-9.]+"),
#else
	SPK_OPTION(struct mistake, release, SPK_DEFAULT("v1"), .pattern = "[0-9.]+"),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
