/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: wrong type or shape
 * shape: a bare number for a span of time
 * caught: compiler (gcc, clang)
 * words: incompatible type
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_sleep(spk, SPK_MILLISECONDS(20));
#else
	spk_sleep(spk, 20);
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
