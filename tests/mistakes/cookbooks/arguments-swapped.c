/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: call signature
 * shape: arguments in another order (53ce9a1)
 * caught: compiler (gcc, clang)
 * words: incompatible type
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_info(spk, "%s", spk_join(spk, ",", spk_words(spk, "a b")));
#else
	spk_info(spk, "%s", spk_join(spk, spk_words(spk, "a b"), ","));
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
