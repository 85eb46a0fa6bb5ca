/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: absent value
 * shape: a key that is not there (G: rollback KeyError, VM without a switch 2bf1183)
 * caught: run (92)
 * words: SIGSEGV
 */
#include <spicerack/cookbook.h>
#include <string.h>

static int run(struct spk *spk, void *self)
{
	struct spk_map *switches = spk_map_new(spk);
	const char *name = spk_map_find(switches, "vm1001");

#ifdef FIXED
	if (!name)
		spk_info(spk, "no switch");
	else
#endif
		spk_info(spk, "%zu", strlen(name));
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
