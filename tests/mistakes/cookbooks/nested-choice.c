/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: nested cookbook
 * shape: a value that the other one does not take
 * caught: check (call-arguments)
 * words: invalid choice: 'buster'
 */
#include <spicerack/cookbook.h>

static const struct spk_call calls[] = {
#ifdef FIXED
	SPK_CALL("nested-target", "--os", "bookworm", SPK_ANY),
#else
	SPK_CALL("nested-target", "--os", "buster", SPK_ANY),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_CALLS(calls), .run = run);
