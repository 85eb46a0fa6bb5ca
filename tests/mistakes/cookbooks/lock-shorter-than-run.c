/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: bound or span of another kind
 * shape: a lock for 60 s around a wait of an hour (mysql.depool at HEAD)
 * caught: check (odd-lock)
 * words: the lock is for 1m, but a run may take 1h
 */
#include <spicerack/cookbook.h>

static int run(struct spk *spk, void *self)
{
	return 0;
}

#ifdef FIXED
#define TTL SPK_HOURS(1)
#else
#define TTL SPK_SECONDS(60)
#endif

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", .timeout = SPK_HOURS(1), .lock_ttl = TTL,
	     .run = run);
