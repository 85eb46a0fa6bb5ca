/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: format string
 * shape: swapped values of a message (53ce9a1)
 * caught: compiler (gcc, clang)
 * words: expects argument of type|but the argument has type
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_warn(spk, "%s: exit code %d", "puppet", 3);
#else
	spk_fail(spk, "%s: exit code %d", 3, "puppet");
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
