/* SPDX-License-Identifier: Apache-2.0 */
/* No mistake: what the nested ones run. */
#include <spicerack/cookbook.h>

struct target {
	const char *host, *os;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct target, host),
	SPK_OPTION(struct target, os, .required = true, .choices = SPK_LIST("bookworm", "trixie")),
};

static int run(struct spk *spk, void *self)
{
	return 0;
}

SPK_COOKBOOK(.title = "Reimage", .owner = "Team", SPK_ARGS(struct target, args), .run = run);
