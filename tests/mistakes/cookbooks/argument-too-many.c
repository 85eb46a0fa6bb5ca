/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: call signature
 * shape: an argument that is no more (031b410, f98d65e)
 * caught: compiler (gcc, clang)
 * words: too many arguments
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_info(spk, "%s", spk_trim(spk, " a "));
#else
	spk_info(spk, "%s", spk_trim(spk, " a ", true));
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
