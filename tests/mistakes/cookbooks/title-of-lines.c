/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: contract of the host
 * shape: a docstring for a title
 * caught: check (text-not-one-line)
 * words: more than one line
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	return 0;
}

#ifdef FIXED
#define TITLE "Restart the service"
#else
#define TITLE "Restart the service\n\nUsage: ..."
#endif

SPK_COOKBOOK(.title = TITLE, .owner = "Team", .run = run);
