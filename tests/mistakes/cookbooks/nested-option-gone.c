/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: nested cookbook
 * shape: an option that the other one dropped: --puppet 7 (k8s.renumber-node at HEAD)
 * caught: check (call-arguments)
 * words: unrecognized arguments: --puppet
 */
#include <spicerack/cookbook.h>

static const struct spk_call calls[] = {
#ifdef FIXED
	SPK_CALL("nested-target", "--os", "bookworm", SPK_ANY),
#else
	SPK_CALL("nested-target", "--os", "bookworm", "--puppet", "7", SPK_ANY),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_CALLS(calls), .run = run);
