/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: unknown name
 * shape: self._reason, args.phab_task_id (44a003a, 725573e, ea9f4e9)
 * caught: compiler (gcc, clang)
 * words: no member named
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *task_id;
};

static const struct spk_arg args[] = {
	SPK_OPTION(struct mistake, task_id),
};

static int run(struct spk *spk, void *self)
{
	const struct mistake *mistake = self;

#ifdef FIXED
	spk_info(spk, "%s", mistake->task_id ? mistake->task_id : "no task");
#else
	spk_info(spk, "%s", mistake->phab_task_id);
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
