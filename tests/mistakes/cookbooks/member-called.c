/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: wrong type or shape
 * shape: a property called as a method (b1b06a0)
 * caught: compiler (gcc, clang)
 * words: not a function|is not a function
 * run: a
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *host;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct mistake, host),
};

static int run(struct spk *spk, void *self)
{
	const struct mistake *mistake = self;

#ifdef FIXED
	spk_info(spk, "%s", mistake->host);
#else
	spk_info(spk, "%s", mistake->host());
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
