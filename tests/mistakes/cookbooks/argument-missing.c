/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: call signature
 * shape: a missing argument (de483fe)
 * caught: compiler (gcc, clang)
 * words: too few arguments
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_info(spk, "%s", spk_replace(spk, "a-b", "-", "_"));
#else
	spk_info(spk, "%s", spk_replace(spk, "a-b", "-"));
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
