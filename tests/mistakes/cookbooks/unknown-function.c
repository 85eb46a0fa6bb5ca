/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: unknown name
 * shape: spicerack.puppt, .puppets (3bc5491, 3cb0f0a)
 * caught: compiler (gcc, clang)
 * words: implicit declaration|call to undeclared|undefined
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_info(spk, "hello");
#else
	spk_inform(spk, "hello");
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
