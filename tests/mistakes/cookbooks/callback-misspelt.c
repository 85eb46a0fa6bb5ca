/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: contract of the host
 * shape: `deepol_sleep`, `__argument_task_required__` (1e367c3, aa9839c)
 * caught: compiler (gcc, clang)
 * words: no member named|does not refer to any field
 */
#include <spicerack/cookbook.h>

static void rollback(struct spk *spk, void *self)
{
	spk_info(spk, "undone");
}

static int run(struct spk *spk, void *self)
{
	return 0;
}

#ifdef FIXED
#define ROLLBACK .rollback = rollback
#else
#define ROLLBACK .roll_back = rollback
#endif

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", ROLLBACK, .run = run);
