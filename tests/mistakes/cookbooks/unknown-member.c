/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: unknown name
 * shape: is_regex for isRegex (ad9f324)
 * caught: compiler (gcc, clang)
 * words: no member named|does not refer to any field
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_command_read(spk, SPK_COMMAND(SPK_STRINGS("true"), .timeout = SPK_SECONDS(5)));
#else
	spk_command_read(spk, SPK_COMMAND(SPK_STRINGS("true"), .time_out = SPK_SECONDS(5)));
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
