/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: call signature
 * shape: source and target swapped, both texts (4ac844f, e4d2d4c)
 * caught: nobody
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_info(spk, "%s", spk_replace(spk, "a-b", "-", "_"));
#else
	spk_info(spk, "%s", spk_replace(spk, "a-b", "_", "-"));
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
