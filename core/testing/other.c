/* SPDX-License-Identifier: Apache-2.0 */
/* Those outside that the kit does not know: a driver of the test's own speaks for them. */
#include "test.h"

#include <stdlib.h>

#include <spicerack/clock.h>

#include "../runtime/mem.h"
#include "../runtime/testing.h"

void spk_test_rule(struct spk_test *test, const char *who, const char *request,
		   const struct spk_test_reply *reply)
{
	CHECK_TEST(test);
	CHECK_POINTERS(who, request, reply);
	char *pattern = xasprintf("%s %s", who, request);

	world_add_rule(test->world, RULE_OTHER, "*", pattern, reply);
	free(pattern);
}

const struct spk_test_reply *spk_test_play(const char *who, const char *request,
					   const char **ret_why)
{
	struct world *world = world_here();
	const struct spk_test_reply *reply = NULL;
	const char *why = NULL;
	int64_t until;
	char *step;

	CHECK_POINTERS(who, request);
	if (!world)
		test_give_up("spk_test_play() is for drivers, which the cookbook's process calls");
	step = xasprintf("%s %s", who, request);
	if (world_step(true, world_is_undoing(), step))
		why = "the test has it fail";
	else if (!(reply = world_reply(world, RULE_OTHER, "*", step)))
		why = "the test does not say what the reply is";
	else if (!__builtin_add_overflow(spk_uptime().ns, reply->took.ns, &until))
		testing_sleep_until(until);
	world_happened(world, "%s -> %s", step, why ? why : reply->out);
	free(step);
	if (ret_why)
		*ret_why = why;
	return reply;
}
