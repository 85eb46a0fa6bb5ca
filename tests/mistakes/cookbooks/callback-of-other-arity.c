/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: contract of the host
 * shape: an override with the wrong arity (5f3993e)
 * caught: compiler (gcc, clang)
 * words: incompatible
 */
#include <spicerack/cookbook.h>

#ifdef FIXED
static void prepare(struct spk *spk, void *self)
#else
static void prepare(struct spk *spk)
#endif
{
	spk_info(spk, "ready");
}

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .prepare = prepare, .run = run);
