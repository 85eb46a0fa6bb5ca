/* SPDX-License-Identifier: Apache-2.0 */
/* group1.important-cookbook: arguments, a scope and a retry in 40 lines. */
#include <spicerack/cookbook.h>

struct important {
	const char *message;
	int tries;
	bool fail;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct important, message, .arity = SPK_ZERO_OR_ONE,
		       SPK_DEFAULT("nothing in particular"), .help = "what is important"),
	SPK_OPTION(struct important, tries, SPK_DEFAULT(2), SPK_RANGE(1, 5),
		   .help = "how often to try"),
	SPK_OPTION(struct important, fail, .help = "fail, to see what happens then"),
};

static void take_down_sign(struct spk *spk, void *arg)
{
	spk_info(spk, "the sign is down again");
}

static void do_it(struct spk *spk, void *arg)
{
	const struct important *important = arg;

	if (important->fail)
		spk_fail(spk, "it was to fail");
	spk_info(spk, "important: %s", important->message);
}

static int run(struct spk *spk, void *self)
{
	const struct important *important = self;

	SPK_SCOPED(spk_scope_open(spk, "the sign", take_down_sign, NULL));
	spk_info(spk, "the sign is up");
	spk_retry(spk, SPK_RETRY(.tries = (uint32_t)important->tries, .delay = SPK_SECONDS(1)),
		  do_it, self);
	return 0;
}

SPK_COOKBOOK(.title = "Do something important", SPK_ARGS(struct important, args), .run = run);
