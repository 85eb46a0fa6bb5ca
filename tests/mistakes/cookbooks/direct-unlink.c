/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: effect that dodges dry-run
 * shape: a file removed in a dry-run
 * caught: check (direct-change)
 * words: calls unlink()
 */
#include <spicerack/cookbook.h>
#include <unistd.h>
static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_link_remove(spk, "/nonexistent");
#else
	unlink("/nonexistent");
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
