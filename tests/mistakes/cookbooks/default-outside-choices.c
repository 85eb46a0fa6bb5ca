/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: a default that is none of the choices
 * caught: check (argument-default)
 * words: invalid choice: 'all'
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *section;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, section, SPK_DEFAULT("s1"), .choices = SPK_LIST("s1", "s2")),
#else
	SPK_OPTION(struct mistake, section, SPK_DEFAULT("all"), .choices = SPK_LIST("s1", "s2")),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
