/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: wrong type or shape
 * shape: state changed where it is only to be looked at
 * caught: compiler (gcc, clang)
 * words: discards .const. qualifier|discards qualifiers
 */
#include <spicerack/cookbook.h>

struct mistake {
	int described;
};

static const char *describe(struct spk *spk, const void *self)
{
#ifdef FIXED
	const struct mistake *mistake = self;
#else
	struct mistake *mistake = self;

	mistake->described++;
#endif
	return spk_format(spk, "%d", mistake->described);
}

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_STATE(struct mistake), .describe = describe,
	     .run = run);
