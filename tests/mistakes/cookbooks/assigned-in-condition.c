/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: logic that shows
 * shape: = for ==
 * caught: compiler (gcc, clang)
 * words: parentheses|suggest parentheses
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	int code = spk_dry_run(spk);

#ifdef FIXED
	if (code == 3)
		spk_warn(spk, "three");
#else
	if (code = 3)
		spk_warn(spk, "three");
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
