/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: bound or span of another kind
 * shape: lower and upper bound swapped
 * caught: check (argument-bounds)
 * words: its bounds leave nothing
 */
#include <spicerack/cookbook.h>

struct mistake {
	int batch;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, batch, SPK_AT_LEAST(1), SPK_AT_MOST(100)),
#else
	SPK_OPTION(struct mistake, batch, SPK_AT_LEAST(100), SPK_AT_MOST(1)),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
