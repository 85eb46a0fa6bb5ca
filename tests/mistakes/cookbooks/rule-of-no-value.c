/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: a rule about a misspelt value
 * caught: check (bad-rule)
 * words: invalid choice: 'poll'
 * run: pool
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *action, *reason;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct mistake, action, .choices = SPK_LIST("pool", "depool")),
	SPK_OPTION(struct mistake, reason),
};

static const struct spk_rule rules[] = {
#ifdef FIXED
	SPK_REQUIRED_IF(struct mistake, action, "depool", reason),
#else
	SPK_REQUIRED_UNLESS(struct mistake, action, "poll", reason),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), SPK_RULES(rules),
	     .run = run);
