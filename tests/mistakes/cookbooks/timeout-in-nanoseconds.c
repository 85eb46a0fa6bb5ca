/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: bound or span of another kind
 * shape: a number of seconds where another unit is meant
 * caught: check (odd-timeout)
 * words: a timeout of 0.00000006s
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	return 0;
}

#ifdef FIXED
#define TIMEOUT SPK_SECONDS(60)
#else
#define TIMEOUT                                                                                    \
	{                                                                                          \
		60                                                                                 \
	}
#endif

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .timeout = TIMEOUT, .run = run);
