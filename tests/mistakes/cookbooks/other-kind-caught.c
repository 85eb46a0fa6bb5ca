/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: failure dropped
 * shape: except RuntimeError for RemoteExecutionError (8d70387, f39861a)
 * caught: run (99)
 * words: failed with exit code 1
 */
#include <spicerack/cookbook.h>

static void action(struct spk *spk, void *arg)
{
	spk_command_read(spk, SPK_COMMAND(SPK_STRINGS("false")));
}

static int run(struct spk *spk, void *self)
{
	const struct spk_error *error;

	if (spk_try(spk, action, NULL, &error))
		return 0;
#ifdef FIXED
	if (!spk_error_is(error, "command.failed"))
#else
	if (!spk_error_is(error, "command.timeout"))
#endif
		spk_raise_again(spk, error);
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
