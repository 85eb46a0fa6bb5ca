/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: nested cookbook
 * shape: a cookbook that was renamed
 * caught: check (call-target)
 * words: there is no cookbook 'nested.target'
 */
#include <spicerack/cookbook.h>

static const struct spk_call calls[] = {
#ifdef FIXED
	SPK_CALL("nested-target", "--os", "bookworm", SPK_ANY),
#else
	SPK_CALL("nested.target", "--os", "bookworm", SPK_ANY),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_CALLS(calls), .run = run);
