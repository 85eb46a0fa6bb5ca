/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: nested cookbook
 * shape: a required option missing: --os, --k8s-cluster (349afdf, a5c9726)
 * caught: check (call-arguments)
 * words: the following arguments are required: --os
 */
#include <spicerack/cookbook.h>

static const struct spk_call calls[] = {
#ifdef FIXED
	SPK_CALL("nested-target", "--os", SPK_ANY, SPK_ANY),
#else
	SPK_CALL("nested-target", SPK_ANY),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_CALLS(calls), .run = run);
