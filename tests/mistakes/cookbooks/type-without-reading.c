/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: a field of a type that no argument has
 * caught: compiler (gcc, clang)
 * words: _Generic|not compatible with any
 */
#include <spicerack/cookbook.h>

struct mistake {
#ifdef FIXED
	long count;
#else
	unsigned count;
#endif
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, count),
#else
	SPK_OPTION(struct mistake, count),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
