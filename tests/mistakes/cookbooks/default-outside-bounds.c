/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: a default that its own check refuses
 * caught: check (argument-default)
 * words: must be at least 10
 */
#include <spicerack/cookbook.h>

struct mistake {
	int batch;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, batch, SPK_DEFAULT(50), SPK_AT_LEAST(10)),
#else
	SPK_OPTION(struct mistake, batch, SPK_DEFAULT(5), SPK_AT_LEAST(10)),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
