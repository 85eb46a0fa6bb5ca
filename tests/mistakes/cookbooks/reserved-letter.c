/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: -h of its own
 * caught: check (argument-name)
 * words: -h is the help's
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *host;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, host, .letter = 'H'),
#else
	SPK_OPTION(struct mistake, host, .letter = 'h'),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
