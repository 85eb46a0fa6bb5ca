/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: not set on every path
 * shape: a path of run() without a result
 * caught: compiler (gcc, clang)
 * words: control reaches end|non-void function does not return
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	if (spk_dry_run(spk))
		return 0;
	spk_info(spk, "done");
#ifdef FIXED
	return 0;
#endif
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
