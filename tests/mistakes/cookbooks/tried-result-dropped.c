/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: failure dropped
 * shape: a result dropped (aa31867)
 * caught: compiler (gcc, clang)
 * words: unused_result|unused-result|warn_unused
 */
#include <spicerack/cookbook.h>

static void action(struct spk *spk, void *arg)
{
}

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	if (!spk_try(spk, action, NULL, NULL))
		spk_warn(spk, "ignored");
#else
	spk_try(spk, action, NULL, NULL);
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
