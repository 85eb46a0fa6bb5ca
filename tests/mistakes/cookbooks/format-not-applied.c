/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: format string
 * shape: a missing f prefix: the text is logged as it stands (712ef47, 097c975)
 * caught: nobody
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	spk_info(spk, "restarting %s", "unit");
#else
	spk_info(spk, "restarting {unit}");
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .run = run);
