/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: wrong type or shape
 * shape: a list of hosts where one is expected (ac338f8, 69b006e, f59d0b7)
 * caught: compiler (gcc, clang)
 * words: incompatible type
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_info(spk, "%s", spk_trim(spk, " a b "));
#else
	spk_info(spk, "%s", spk_trim(spk, spk_words(spk, " a b ")));
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
