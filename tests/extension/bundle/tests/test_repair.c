/* Tests of racks.repair: with a register as the test has it, and with a real one. */
#include <example/racks_testing.h>
#include <spicerack/testing.h>
#include <string.h>

#define COOKBOOK "racks.repair"

static void set_up(struct spk_test *test, void *data)
{
	racks_test(test);
	spk_test_rule(test, "racks", "get web1", SPK_TEST_REPLY(.out = "active"));
	spk_test_rule(test, "racks", "get old1", SPK_TEST_REPLY(.out = "retired"));
	spk_test_rule(test, "racks", "get *", SPK_TEST_REPLY(.code = 1));
	spk_test_rule(test, "racks", "set web1 *", SPK_TEST_REPLY());
}

static struct spk_test *world(void)
{
	struct spk_test *test = spk_test_new(COOKBOOK);

	set_up(test, NULL);
	return test;
}

static void brings_the_state_back(void)
{
	struct spk_test *test = world();

	SPK_EXPECT(spk_test_exits(test, "web1", 0));
	SPK_EXPECT(spk_test_in_order(test, "racks get web1 -> active", "racks set web1 repair -> ",
				     "log INFO: testing 'web1'", "racks set web1 active -> ",
				     NULL));
	SPK_EXPECT(spk_test_clean(test));
	spk_test_free(test);
}

static void does_nothing_with_what_is_retired_or_unknown(void)
{
	struct spk_test *test = world();

	SPK_EXPECT(spk_test_exits(test, "old1", 0));
	SPK_EXPECT(spk_test_logged(test, "'old1' is retired"));
	SPK_EXPECT(spk_test_exits(test, "nobody", 94));
	SPK_EXPECT(spk_test_logged(test, "*there is no machine 'nobody'*racks.unknown*"));
	spk_test_free(test);
}

static void changes_nothing_in_a_dry_run(void)
{
	struct spk_test *test = world();

	spk_test_dry_run(test);
	SPK_EXPECT(spk_test_exits(test, "web1", 0));
	SPK_EXPECT(spk_test_reached(test, "racks", "get web1"));
	if (!spk_test_reached(test, "racks", "set *"))
		SPK_EXPECT("a dry run has set a state");
	SPK_EXPECT(spk_test_logged(test, "would set the state of 'web1' to 'repair'"));
	spk_test_free(test);
}

/* However it ended: what was said last of a machine is what it was before. */
static const char *is_active(struct spk_test *test, void *data)
{
	const char *story = spk_test_story(test), *last = NULL;

	for (const char *at = strstr(story, "racks set web1 "); at;
	     at = strstr(at + 1, "racks set web1 "))
		last = at;
	return !last || strncmp(last, "racks set web1 active", 21) == 0
		       ? NULL
		       : "the machine was not given back";
}

static void comes_through_every_failure(void)
{
	SPK_EXPECT(spk_test_every_step(
		SPK_TEST_STEPS(COOKBOOK, "web1", .set_up = set_up, .check = is_active)));
}

/* A register that is there, by the driver that is installed. */
static void works_with_a_real_register(const char *file)
{
	struct spk_test *test = spk_test_new(COOKBOOK);
	char text[512];

	snprintf(text, sizeof(text), "settings = { file = \"%s\"; };\n", file);
	spk_test_file(test, "racks/config.cfg", text);
	SPK_EXPECT(spk_test_exits(test, "web1", 0));
	SPK_EXPECT(spk_test_in_order(test, "log INFO: the state of 'web1' is 'repair'",
				     "log INFO: the state of 'web1' is 'active'", NULL));
	SPK_EXPECT(spk_test_exits(test, "nobody", 94));
	spk_test_free(test);
}

int main(void)
{
	const char *file = getenv("EXAMPLE_RACKS_REGISTER");

	brings_the_state_back();
	does_nothing_with_what_is_retired_or_unknown();
	changes_nothing_in_a_dry_run();
	comes_through_every_failure();
	if (file)
		works_with_a_real_register(file);
	return 0;
}
