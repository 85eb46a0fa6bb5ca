/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: wrong type or shape
 * shape: a list instead of varargs (2686f87, 838744e)
 * caught: compiler (gcc, clang)
 * words: incompatible|not a scalar|initializing
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	spk_strings words = spk_words(spk, "a b");

#ifdef FIXED
	spk_strings argv = {0};

	spk_append(spk, &argv, "echo");
	for (size_t i = 0; i < words.count; i++)
		spk_append(spk, &argv, words.items[i]);
	spk_command_read(spk, SPK_COMMAND(argv));
#else
	spk_command_read(spk, SPK_COMMAND(SPK_STRINGS("echo", words)));
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
