/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: a regular expression that does not compile
 * caught: check (argument-pattern)
 * words: missing closing parenthesis
 */
#include <spicerack/cookbook.h>

struct mistake {
	const char *host;
};

static const struct spk_arg args[] = {
#ifdef FIXED
	SPK_OPTION(struct mistake, host, .pattern = "(db|es)[0-9]+"),
#else
	SPK_OPTION(struct mistake, host, .pattern = "(db|es[0-9]+"),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
