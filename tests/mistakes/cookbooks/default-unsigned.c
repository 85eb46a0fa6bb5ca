/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: a default of a type that no default has, which would be 0
 * caught: compiler (gcc, clang)
 * words: not compatible with any
 */
#include <spicerack/cookbook.h>

struct mistake {
	int batch;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, batch, SPK_DEFAULT(5)),
#else
	SPK_OPTION(struct mistake, batch, SPK_DEFAULT(5U)),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
