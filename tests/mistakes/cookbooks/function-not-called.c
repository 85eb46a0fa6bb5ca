/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: wrong type or shape
 * shape: a method not called: always true (625ea9e)
 * caught: compiler (gcc, clang)
 * words: always evaluate as|will always evaluate|will never be NULL
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	if (spk_dry_run(spk))
		spk_info(spk, "nothing will happen");
#else
	if (spk_dry_run)
		spk_info(spk, "nothing will happen");
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
