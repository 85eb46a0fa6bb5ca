/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: bool or another enumeration
 * shape: bool for 'no': false is a null pointer in C
 * caught: run (99)
 * words: misuse of spk_map_set
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	struct spk_map *map = spk_map_new(spk);

#ifdef FIXED
	spk_map_set(map, "enabled", "no");
#else
	spk_map_set(map, "enabled", false);
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
