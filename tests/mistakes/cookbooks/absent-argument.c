/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: absent value
 * shape: an option not given is None (b9ec6c7, e6e1fc2)
 * caught: run (92)
 * words: SIGSEGV
 */
#include <spicerack/cookbook.h>
#include <string.h>

struct mistake {
	const char *reason;
};

static const struct spk_arg args[] = {
	SPK_OPTION(struct mistake, reason),
};

static int run(struct spk *spk, void *self)
{
	const struct mistake *mistake = self;

#ifdef FIXED
	if (mistake->reason)
#endif
		spk_info(spk, "%zu", strlen(mistake->reason));
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
