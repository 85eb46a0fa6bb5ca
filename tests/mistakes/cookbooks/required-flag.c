/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: a switch that must be given says nothing
 * caught: check (argument-required)
 * words: a required flag says nothing
 */
#include <spicerack/cookbook.h>

struct mistake {
	bool force;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, force),
#else
	SPK_OPTION(struct mistake, force, .required = true),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
