/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: nested cookbook
 * shape: an int among the arguments of a nested cookbook (80b5b96, 9b41f57)
 * caught: compiler (gcc, clang)
 * words: makes pointer from integer|incompatible integer to pointer
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_run_cookbook_must(spk, "nested-target", SPK_STRINGS("--os", "bookworm", "a"));
#else
	spk_run_cookbook_must(spk, "nested-target", SPK_STRINGS("--os", 12, "a"));
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
