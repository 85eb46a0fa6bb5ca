/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: two options of one letter
 * caught: check (argument-name)
 * words: -f is another's, too
 */
#include <spicerack/cookbook.h>

struct mistake {
	bool force, fast;
};

static const struct spk_arg args[] = {
	SPK_OPTION(struct mistake, force, .letter = 'f'),
#ifdef FIXED
	SPK_OPTION(struct mistake, fast, .letter = 'F'),
#else
	SPK_OPTION(struct mistake, fast, .letter = 'f'),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
