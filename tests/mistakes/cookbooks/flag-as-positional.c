/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: type=bool: any text is true (021b697)
 * caught: check (argument-type)
 * words: a flag cannot be a positional
 */
#include <spicerack/cookbook.h>

struct mistake {
	bool force;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, force),
#else
	SPK_POSITIONAL(struct mistake, force),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
