/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: glued literals
 * shape: a missing space in a command (f3bc847)
 * caught: nobody
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_info(spk, "systemctl restart "
		      "nginx");
#else
	spk_info(spk, "systemctl restart"
		      "nginx");
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
