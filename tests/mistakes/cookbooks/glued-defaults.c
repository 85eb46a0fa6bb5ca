/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: glued literals
 * shape: the same in a list of defaults
 * caught: check (glued-literals)
 * words: .default_list has "s1" "s2"
 */
#include <spicerack/cookbook.h>

struct mistake {
	spk_strings sections;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, sections, SPK_DEFAULT_LIST("s1", "s2")),
#else
	SPK_OPTION(struct mistake, sections,
		   SPK_DEFAULT_LIST("s1"
				    "s2")),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
