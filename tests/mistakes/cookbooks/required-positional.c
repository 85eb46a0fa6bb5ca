/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: required on a positional (f71d827, 5e4fb2c, c684ec2)
 * caught: check (argument-required)
 * words: argument 'host': required, which is for options
 * run: a
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *host;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_POSITIONAL(struct mistake, host),
#else
	SPK_POSITIONAL(struct mistake, host, .required = true),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
