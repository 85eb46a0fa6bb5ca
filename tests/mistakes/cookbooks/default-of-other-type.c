/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: default='5' of an int
 * caught: check (argument-default)
 * words: a default of another type
 */
#include <spicerack/cookbook.h>

struct mistake {
	int batch;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, batch, SPK_DEFAULT(5)),
#else
	SPK_OPTION(struct mistake, batch, SPK_DEFAULT("5")),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
