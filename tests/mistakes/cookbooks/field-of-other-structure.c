/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: a row that names another cookbook's structure
 * caught: check (argument-field)
 * words: share a field|lies outside
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *host, *name;
};

struct other {
	const char *name;
};

static const struct spk_arg args[] = {
	SPK_OPTION(struct mistake, host),
#ifdef FIXED
	SPK_OPTION(struct mistake, name),
#else
	SPK_OPTION(struct other, name),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
