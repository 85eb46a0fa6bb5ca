/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: format string
 * shape: a value of another type (b9ec6c7, 5d9aba5)
 * caught: compiler (gcc, clang)
 * words: expects argument of type|but the argument has type
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	int hosts = 3;

#ifdef FIXED
	spk_info(spk, "%d hosts", hosts);
#else
	spk_info(spk, "%s hosts", hosts);
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
