/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: wrong type or shape
 * shape: str where a type of its own is expected (e5b1083, a8944ae)
 * caught: compiler (gcc, clang)
 * words: incompatible type
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_sleep(spk, SPK_MILLISECONDS(1));
#else
	spk_sleep(spk, "1");
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
