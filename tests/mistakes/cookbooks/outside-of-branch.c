/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: logic that shows
 * shape: a line that looks as if it were in the branch
 * caught: compiler (gcc)
 * words: indentation
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	if (spk_dry_run(spk)) {
		spk_info(spk, "dry");
		spk_info(spk, "nothing done");
	}
#else
	/* clang-format off */
	if (spk_dry_run(spk))
		spk_info(spk, "dry");
		spk_info(spk, "nothing done");
	/* clang-format on */
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
