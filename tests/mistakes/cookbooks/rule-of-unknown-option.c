/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: a misspelt option in a rule
 * caught: compiler (gcc, clang)
 * words: no member named
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *host, *alias;
};

static const struct spk_arg args[] = {
	SPK_OPTION(struct mistake, host),
	SPK_OPTION(struct mistake, alias),
};

static const struct spk_rule rules[] = {
#ifdef FIXED
	SPK_CONFLICTS(struct mistake, host, alias),
#else
	SPK_CONFLICTS(struct mistake, host, aliases),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), SPK_RULES(rules),
	     .run = run);
