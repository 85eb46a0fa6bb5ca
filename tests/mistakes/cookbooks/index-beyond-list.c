/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: absent value
 * shape: index out of range (1c00811)
 * caught: nobody
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	spk_strings words = spk_words(spk, "one");

#ifdef FIXED
	if (words.count > 1)
		spk_info(spk, "%s", words.items[1]);
#else
	spk_info(spk, "%d", words.items[1] != NULL);
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
