/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: effect that dodges dry-run
 * shape: sys.exit() in the middle of a run
 * caught: check (direct-end)
 * words: calls exit()
 */
#include <spicerack/cookbook.h>
#include <stdlib.h>
static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	return 0;
#else
	exit(0);
#endif
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
