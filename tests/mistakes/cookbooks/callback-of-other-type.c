/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: contract of the host
 * shape: a wrong base class (O: wrong base x2)
 * caught: compiler (gcc, clang)
 * words: incompatible
 */
#include <spicerack/cookbook.h>

#ifdef FIXED
static int run(struct spk *spk, void *self)
{
	return 0;
}
#else
static void run(struct spk *spk, void *self)
{
}
#endif

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
