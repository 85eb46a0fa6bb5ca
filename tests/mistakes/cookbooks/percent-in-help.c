/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: a percent sign in a help (cb7e534)
 * caught: check (argument-help)
 * words: cannot expand the help text at '% of
 */
#include <spicerack/cookbook.h>

struct mistake {
	int batch;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, batch, SPK_DEFAULT(5), .help = "5%% of the hosts"),
#else
	SPK_OPTION(struct mistake, batch, SPK_DEFAULT(5), .help = "5% of the hosts"),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
