/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: format string
 * shape: three %s, two values (hosts.provision:429)
 * caught: compiler (gcc, clang)
 * words: more .%. conversions|matching
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_info(spk, "%s in %s", "host", "codfw");
#else
	spk_info(spk, "%s in %s", "host");
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
