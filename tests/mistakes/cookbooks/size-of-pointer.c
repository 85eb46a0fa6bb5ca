/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: wrong type or shape
 * shape: the size of the reference instead of the thing
 * caught: compiler (gcc, clang)
 * words: sizeof
 */
#include <spicerack/cookbook.h>
#include <string.h>

struct mistake {
	char buffer[256];
};

static int run(struct spk *spk, void *self)
{
	struct mistake *mistake = self;

#ifdef FIXED
	memset(mistake, 0, sizeof(*mistake));
#else
	memset(mistake, 0, sizeof(mistake));
#endif
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_STATE(struct mistake), .run = run);
