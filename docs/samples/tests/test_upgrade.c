/* Tests of samples.upgrade: what it does, and that it comes through every failure. */
#include <check.h>
#include <spicerack/testing.h>

#define COOKBOOK "samples.upgrade"
#define ARGUMENTS "D{web[1-2]} 2.0"

static void set_up(struct spk_test *test, void *data)
{
	spk_test_host(test, "web[1-2]", "dpkg-query *", SPK_TEST_REPLY(.out = "1.9"));
	spk_test_host(test, "web[1-2]", "apt-get *", SPK_TEST_REPLY(.took = SPK_SECONDS(20)));
	spk_test_host(test, "web[1-2]", "*", SPK_TEST_REPLY());
	spk_test_answer(test, "go-on", "go");
}

START_TEST(upgrades_one_host_after_the_other)
{
	struct spk_test *test = spk_test_new(COOKBOOK);

	set_up(test, NULL);
	SPK_EXPECT(spk_test_exits(test, ARGUMENTS, 0));
	SPK_EXPECT(spk_test_asked(test, "go-on"));
	SPK_EXPECT(spk_test_locked(test, "samples.upgrade"));
	SPK_EXPECT(spk_test_in_order(test, "host web1: depool *", "host web1: apt-get * app=2.0 *",
				     "host web1: pool *", "host web2: depool *", NULL));
	SPK_EXPECT(spk_test_clean(test));
	spk_test_free(test);
}
END_TEST

START_TEST(goes_back_when_a_host_is_not_healthy)
{
	struct spk_test *test = spk_test_new(COOKBOOK);

	spk_test_host(test, "web2", "curl *", SPK_TEST_REPLY(.code = 22, .times = 1));
	set_up(test, NULL);
	SPK_EXPECT(spk_test_exits(test, ARGUMENTS, 99));
	SPK_EXPECT(spk_test_rolled_back(test));
	SPK_EXPECT(spk_test_ran(test, "web[1-2]", "apt-get * --allow-downgrades install app=1.9"));
	SPK_EXPECT(spk_test_announced(test, "!log * END (FAIL) *"));
	spk_test_free(test);
}
END_TEST

START_TEST(does_nothing_where_it_is_there_already)
{
	struct spk_test *test = spk_test_new(COOKBOOK);

	set_up(test, NULL);
	SPK_EXPECT(spk_test_exits(test, "D{web[1-2]} 1.9", 0));
	SPK_EXPECT(spk_test_not_ran(test, "*", "apt-get *"));
	spk_test_free(test);
}
END_TEST

/* However it ended: no host is left out of its pool. */
static const char *all_are_pooled(struct spk_test *test, void *data)
{
	return spk_test_undone(test, "depool", "pool");
}

START_TEST(comes_through_every_failure)
{
	SPK_EXPECT(spk_test_every_step(
		SPK_TEST_STEPS(COOKBOOK, ARGUMENTS, .set_up = set_up, .check = all_are_pooled)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create(COOKBOOK);
	TCase *tests = tcase_create("upgrade");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, upgrades_one_host_after_the_other);
	tcase_add_test(tests, goes_back_when_a_host_is_not_healthy);
	tcase_add_test(tests, does_nothing_where_it_is_there_already);
	tcase_add_test(tests, comes_through_every_failure);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
