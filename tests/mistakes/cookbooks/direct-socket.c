/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: effect that dodges dry-run
 * shape: a request that the host does not see
 * caught: check (direct-network)
 * words: calls socket()
 */
#include <spicerack/cookbook.h>
#include <sys/socket.h>
static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_command_read(spk, SPK_COMMAND(SPK_STRINGS("true")));
#else
	if (socket(AF_INET, SOCK_STREAM, 0) < 0)
		spk_fail(spk, "no socket");
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
