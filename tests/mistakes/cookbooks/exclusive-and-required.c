/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: required within an exclusive group
 * caught: check (argument-group)
 * words: required, but in an exclusive group
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *host, *alias;
};

static const struct spk_group target = SPK_EXCLUSIVE();

static const struct spk_arg args[] = {
	SPK_OPTION(struct mistake, alias, .group = &target),
#ifdef FIXED
	SPK_OPTION(struct mistake, host, .group = &target),
#else
	SPK_OPTION(struct mistake, host, .group = &target, .required = true),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
