/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: absent value
 * shape: a key that must be there, by the call that says so
 * caught: run (99)
 * words: vm1001
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	struct spk_map *switches = spk_map_new(spk);

	spk_map_set(switches, "vm1002", "asw1");
#ifdef FIXED
	spk_info(spk, "%s", spk_map_get(switches, "vm1002"));
#else
	spk_info(spk, "%s", spk_map_get(switches, "vm1001"));
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
