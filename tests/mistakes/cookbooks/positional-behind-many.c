/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: argument declared and used
 * shape: a positional behind nargs=*
 * caught: check (argument-order)
 * words: it stands behind 'hosts'
 */
#include <spicerack/cookbook.h>

struct mistake {
	spk_strings hosts;
	const char *reason;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct mistake, hosts, .arity = SPK_ZERO_OR_MORE),
#ifdef FIXED
	SPK_OPTION(struct mistake, reason),
#else
	SPK_POSITIONAL(struct mistake, reason),
#endif
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Mistake", .owner = "Team", SPK_ARGS(struct mistake, args), .run = run);
