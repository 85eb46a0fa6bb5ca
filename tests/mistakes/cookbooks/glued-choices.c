/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: glued literals
 * shape: a missing comma makes one name of two (3cc5552, 0b0de83, d56f0fe)
 * caught: check (glued-literals)
 * words: .choices has "codfw" "eqiad"
 * run: eqiad
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *site;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_POSITIONAL(struct mistake, site, .choices = SPK_LIST("codfw", "eqiad", "esams")),
#else
	SPK_POSITIONAL(struct mistake, site,
		       .choices = SPK_LIST("codfw"
					   "eqiad",
					   "esams")),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
