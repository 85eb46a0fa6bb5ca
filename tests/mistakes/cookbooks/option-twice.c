/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: two options of one name
 * caught: check (argument-name)
 * words: the name --host is used twice
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *host, *name;
};

static const struct spk_arg args[] = {
	SPK_OPTION(struct mistake, host),
#ifdef FIXED
	SPK_OPTION(struct mistake, name),
#else
	SPK_OPTION(struct mistake, name, .names = SPK_LIST("--host")),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
