/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: bool or another enumeration
 * shape: a value of one enumeration where another is meant
 * caught: compiler (gcc, clang)
 * words: implicit conversion from
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_log(spk, SPK_WARNING, __FILE__, __LINE__, __func__, "hello");
#else
	spk_log(spk, SPK_REQUIRED, __FILE__, __LINE__, __func__, "hello");
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
