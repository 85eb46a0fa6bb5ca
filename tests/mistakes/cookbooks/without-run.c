/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: contract of the host
 * shape: a class without run
 * caught: check (bad-descriptor)
 * words: it has no run function
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	return 0;
}

#ifdef FIXED
SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
#else
static void prepare(struct spk *spk, void *self)
{
	(void)run;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .prepare = prepare);
#endif
