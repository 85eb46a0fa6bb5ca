/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: effect that dodges dry-run
 * shape: real sleeps in a dry-run (9141b53, 6275bad)
 * caught: check (direct-wait)
 * words: calls sleep()
 */
#include <spicerack/cookbook.h>
#include <unistd.h>
static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_sleep(spk, SPK_MILLISECONDS(1));
#else
	sleep(1);
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
