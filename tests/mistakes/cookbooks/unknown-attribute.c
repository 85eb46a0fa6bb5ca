/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: `choice=` for `choices=` (e6bf2a8), `actions=` (f17bf92)
 * caught: compiler (gcc, clang)
 * words: no member named|does not refer to any field
 * run: eqiad
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *datacenter;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_POSITIONAL(struct mistake, datacenter, .choices = SPK_LIST("codfw", "eqiad")),
#else
	SPK_POSITIONAL(struct mistake, datacenter, .choice = SPK_LIST("codfw", "eqiad")),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
