/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: format string
 * shape: a text from outside as the format
 * caught: compiler (gcc, clang)
 * words: format not a string literal|format string is not a string literal
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	const char *text = spk_username(spk);

#ifdef FIXED
	spk_info(spk, "%s", text);
#else
	spk_info(spk, text);
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
