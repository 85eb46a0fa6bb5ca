/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: choices of another type than the values
 * caught: check (argument-choices)
 * words: invalid int value: 'two'
 */
#include <spicerack/cookbook.h>

struct mistake {
	int replicas;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, replicas, .choices = SPK_LIST("1", "2")),
#else
	SPK_OPTION(struct mistake, replicas, .choices = SPK_LIST("1", "two")),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
