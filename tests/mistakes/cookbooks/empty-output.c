/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: absent value
 * shape: empty output taken for a number (b32c9e6, 6715638)
 * caught: run (99)
 * words: is no whole number
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_info(
		spk, "%lld",
		spk_to_int(spk, spk_command_read(spk, SPK_COMMAND(SPK_STRINGS("echo", "3")))->out));
#else
	spk_info(spk, "%lld",
		 spk_to_int(spk, spk_command_read(spk, SPK_COMMAND(SPK_STRINGS("true")))->out));
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
