/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: bool or another enumeration
 * shape: bool for 'yes' (542fd11)
 * caught: compiler (gcc, clang)
 * words: makes pointer from integer|incompatible integer to pointer
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	struct spk_map *map = spk_map_new(spk);

#ifdef FIXED
	spk_map_set(map, "enabled", "yes");
#else
	spk_map_set(map, "enabled", true);
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
