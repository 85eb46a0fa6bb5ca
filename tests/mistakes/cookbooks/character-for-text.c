/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: wrong type or shape
 * shape: brackets or a character for a call with a text: `split['_']` (b281cd0)
 * caught: compiler (gcc, clang)
 * words: makes pointer from integer|incompatible integer to pointer
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_strings parts = spk_split(spk, "a_b", "_");
#else
	spk_strings parts = spk_split(spk, "a_b", '_');
#endif

	return parts.count == 2 ? 0 : 1;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
