/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: wrong type or shape
 * shape: an int among the words of a command (9b45ae0, 80b5b96)
 * caught: compiler (gcc, clang)
 * words: makes pointer from integer|incompatible integer to pointer
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	int port = 8080;

#ifdef FIXED
	spk_command_read(spk,
			 SPK_COMMAND(SPK_STRINGS("echo", "--port", spk_format(spk, "%d", port))));
#else
	spk_command_read(spk, SPK_COMMAND(SPK_STRINGS("echo", "--port", port)));
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
