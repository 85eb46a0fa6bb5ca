/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: contract of the host
 * shape: state in a variable of the module: lost in a crash
 * caught: check (writable-global)
 * words: variable 'done' of
 */
#include <spicerack/cookbook.h>

struct mistake {
	int done;
};

#ifndef FIXED
static int done;
#endif

static int run(struct spk *spk, void *self)
{
#ifdef FIXED
	struct mistake *mistake = self;

	mistake->done++;
#else
	done++;
#endif
	return 0;
}

static void rollback(struct spk *spk, void *self)
{
#ifdef FIXED
	const struct mistake *mistake = self;

	spk_info(spk, "%d to undo", mistake->done);
#else
	spk_info(spk, "%d to undo", done);
#endif
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_STATE(struct mistake), .run = run,
	     .rollback = rollback);
