/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: effect that dodges dry-run
 * shape: a command of its own (96d25d0: --check-only still dropped data)
 * caught: check (direct-command)
 * words: calls system()
 */
#include <spicerack/cookbook.h>
#include <stdlib.h>
static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_command_run(spk, SPK_COMMAND(SPK_STRINGS("true")));
#else
	if (system("true") != 0)
		spk_fail(spk, "cannot");
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
