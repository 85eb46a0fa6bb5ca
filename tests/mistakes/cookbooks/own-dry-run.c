/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: effect that dodges dry-run
 * shape: a --dry-run of its own (6519452)
 * caught: check (own-dry-run)
 * words: the option --dry-run
 */
#include <spicerack/cookbook.h>

struct mistake {
	bool dry_run, force;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, force),
#else
	SPK_OPTION(struct mistake, dry_run),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
