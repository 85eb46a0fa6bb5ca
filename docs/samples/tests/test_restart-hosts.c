/* Tests of samples.restart-hosts: three hosts that are not there, one of which has its moods. */
#include <spicerack/testing.h>

#define HOSTS "web[1-3]"

static struct spk_test *world(void)
{
	struct spk_test *test = spk_test_new("samples.restart-hosts");

	spk_test_query(test, "P{O:web}", HOSTS);
	spk_test_host(test, HOSTS, "systemctl cat -- nginx *", SPK_TEST_REPLY());
	return test;
}

static void restarts_all(void)
{
	struct spk_test *test = world();

	spk_test_host(test, HOSTS, "systemctl restart -- nginx", SPK_TEST_REPLY());
	SPK_EXPECT(spk_test_exits(test, "P{O:web} nginx", 0));
	SPK_EXPECT(spk_test_ran(test, HOSTS, "systemctl restart -- nginx"));
	spk_test_free(test);
}

/* What the test does not know a host answers with 127, and says so. */
static void knows_the_service_before_it_begins(void)
{
	struct spk_test *test = world();

	SPK_EXPECT(spk_test_exits(test, "P{O:web} ngnix", 94));
	SPK_EXPECT(spk_test_not_ran(test, "*", "systemctl restart *"));
	spk_test_free(test);
}

/* It may take 2 minutes, which here are no time. */
static void gives_up_a_host_that_hangs(void)
{
	struct spk_test *test = world();

	spk_test_host(test, "web2", "systemctl restart *", SPK_TEST_REPLY(.hangs = true));
	spk_test_host(test, HOSTS, "systemctl restart *", SPK_TEST_REPLY());
	SPK_EXPECT(spk_test_exits(test, "P{O:web} nginx", 99));
	SPK_EXPECT(spk_test_logged(test, "*web2*"));
	spk_test_free(test);
}

static void does_not_reach_a_host(void)
{
	struct spk_test *test = world();

	spk_test_host(test, "web1", "systemctl restart *",
		      SPK_TEST_REPLY(.end = SPK_REMOTE_UNREACHABLE));
	spk_test_host(test, HOSTS, "systemctl restart *", SPK_TEST_REPLY());
	SPK_EXPECT(spk_test_exits(test, "P{O:web} nginx", 99));
	SPK_EXPECT(spk_test_not_ran(test, "web1", "systemctl restart *"));
	spk_test_free(test);
}

static void changes_nothing_in_a_dry_run(void)
{
	struct spk_test *test = world();

	spk_test_dry_run(test);
	SPK_EXPECT(spk_test_exits(test, "P{O:web} nginx", 0));
	SPK_EXPECT(spk_test_ran(test, HOSTS, "systemctl cat *"));
	SPK_EXPECT(spk_test_not_ran(test, "*", "systemctl restart *"));
	spk_test_free(test);
}

int main(void)
{
	restarts_all();
	knows_the_service_before_it_begins();
	gives_up_a_host_that_hangs();
	does_not_reach_a_host();
	changes_nothing_in_a_dry_run();
	return 0;
}
