/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: nested cookbook
 * shape: the result of a nested cookbook dropped (dee9314)
 * caught: compiler (gcc, clang)
 * words: unused_result|unused-result|warn_unused
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_run_cookbook_must(spk, "nested-target", SPK_STRINGS("--os", "bookworm", "a"));
#else
	spk_run_cookbook(spk, "nested-target", SPK_STRINGS("--os", "bookworm", "a"));
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
