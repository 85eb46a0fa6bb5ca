/* SPDX-License-Identifier: Apache-2.0 */
/* The test kit, as an author uses it: each thing that it plays, and that it fails what it should.
 */
#include <check.h>
#include <spicerack/testing.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COOKBOOK "kit.subject"

static struct spk_test *test;

static void begin(void)
{
	test = spk_test_new(COOKBOOK);
}

static void end(void)
{
	spk_test_free(test);
}

/* It is not so, for that reason. */
static void refuted(const char *why, const char *reason)
{
	ck_assert_ptr_nonnull(why);
	ck_assert_msg(strstr(why, reason) == why, "%s", why);
}

START_TEST(a_record_of_the_log)
{
	SPK_EXPECT(spk_test_exits(test, "log 'some text'", 0));
	SPK_EXPECT(spk_test_logged(test, "said: some text"));
	SPK_EXPECT(spk_test_logged(test, "said: s??e*"));
	SPK_EXPECT(spk_test_not_logged(test, "said: some"));
	refuted(spk_test_logged(test, "said: some"),
		"not logged: said: some\n--- what happened in run 1");
	refuted(spk_test_not_logged(test, "said*"), "logged: said*");
	ck_assert_str_eq(spk_test_output(test), "printed\n");
	SPK_EXPECT(spk_test_announced(test, "!log * START - Cookbook kit.subject"));
	refuted(spk_test_announced(test, "START"), "not announced");
	SPK_EXPECT(spk_test_in_order(test, "log INFO: START*", "log WARNING: said: some text",
				     "end PASS, *", NULL));
	refuted(spk_test_in_order(test, "end *", "log INFO: START*", NULL),
		"no line 'log INFO: START*' behind 'end *'");
}
END_TEST

START_TEST(an_exit_code)
{
	SPK_EXPECT(spk_test_exits(test, "return 7", 7));
	SPK_EXPECT(spk_test_rolled_back(test));
	refuted(spk_test_exits(test, "return 7", 8), "exit code 7, expected 8");
	SPK_EXPECT(spk_test_exits(test, "return 0", 0));
	refuted(spk_test_rolled_back(test), "it was not rolled back");
	SPK_EXPECT(spk_test_exits(test, "return 0 more", 2));
	ck_assert_ptr_nonnull(strstr(spk_test_story(test), "unrecognized arguments: more"));
}
END_TEST

START_TEST(a_crash_is_an_exit_code)
{
	SPK_EXPECT(spk_test_exits(test, "crash", 92));
	SPK_EXPECT(spk_test_logged(test, "*SIGSEGV*"));
	SPK_EXPECT(spk_test_rolled_back(test));
}
END_TEST

START_TEST(who_does_not_end_is_ended)
{
	spk_test_time_limit(test, SPK_SECONDS(1));
	refuted(spk_test_exits(test, "spin", 0), "it did not end within 1 s");
}
END_TEST

START_TEST(answers_in_their_order)
{
	spk_test_answer(test, "disk", "sdb");
	spk_test_answer(test, "disk", "sda");
	SPK_EXPECT(spk_test_exits(test, "ask", 0));
	SPK_EXPECT(spk_test_in_order(test, "question disk: sdb", "log INFO: disk sdb",
				     "question disk: sda", "log INFO: then sda", NULL));
	SPK_EXPECT(spk_test_asked(test, "disk"));
	refuted(spk_test_asked(test, "dis"), "not asked: dis");
}
END_TEST

START_TEST(nobody_answers_what_the_test_does_not)
{
	SPK_EXPECT(spk_test_exits(test, "ask", 99));
	SPK_EXPECT(spk_test_asked(test, "disk"));
	SPK_EXPECT(spk_test_logged(test, "*cannot ask 'Which?'*"));
}
END_TEST

START_TEST(hours_pass_at_once)
{
	SPK_EXPECT(spk_test_exits(test, "sleep", 0));
	SPK_EXPECT(spk_test_logged(test, "slept 10h*"));
}
END_TEST

START_TEST(locks_of_others)
{
	SPK_EXPECT(spk_test_exits(test, "lock", 0));
	SPK_EXPECT(spk_test_locked(test, "thing"));
	SPK_EXPECT(spk_test_locked(test, "/spicerack/locks/cookbooks/kit.subject"));
	refuted(spk_test_locked(test, "hing"), "not locked: hing");
	SPK_EXPECT(spk_test_clean(test));

	spk_test_lock_held(test, "thing", SPK_MINUTES(15));
	SPK_EXPECT(spk_test_exits(test, "lock", 0));
	SPK_EXPECT(spk_test_locked(test, "thing"));
	spk_test_lock_held(test, "thing", SPK_HOURS(1));
	SPK_EXPECT(spk_test_exits(test, "lock", 99));
	SPK_EXPECT(spk_test_logged(test, "*somebody@elsewhere*"));
	refuted(spk_test_locked(test, "thing"), "not locked: thing");
}
END_TEST

START_TEST(replies_of_hosts)
{
	spk_test_host(test, "db1", "cat '/proc/*",
		      SPK_TEST_REPLY(.out = "1\n", .took = SPK_HOURS(1)));
	spk_test_host(test, "db2", "cat *", SPK_TEST_REPLY(.out = "2\n", .times = 1));
	SPK_EXPECT(spk_test_exits(test, "remote", 0));
	SPK_EXPECT(spk_test_logged(test, "uptime 1,2"));
	SPK_EXPECT(spk_test_ran(test, "db[1-2]", "cat '/proc/up time' | head -1"));
	refuted(spk_test_ran(test, "db[1-3]", "cat *"), "did not run on db3: cat *");
	refuted(spk_test_not_ran(test, "db[2-3]", "cat *"), "ran on db2: cat *");
	SPK_EXPECT(spk_test_exits(test, "remote", 99));
	SPK_EXPECT(spk_test_in_order(
		test, "host db2: * -> exit code 127, the test does not say how it replies", NULL));
	spk_test_host(test, "db2", "cat *", SPK_TEST_REPLY(.end = SPK_REMOTE_DENIED));
	SPK_EXPECT(spk_test_exits(test, "remote", 99));
	SPK_EXPECT(spk_test_ran(test, "db1", "cat *"));
	SPK_EXPECT(spk_test_not_ran(test, "db2", "cat *"));
}
END_TEST

START_TEST(replies_that_were_recorded)
{
	spk_test_recorded(test, RECORDED);
	SPK_EXPECT(spk_test_exits(test, "remote", 0));
	SPK_EXPECT(spk_test_logged(test, "uptime 1.5 2,7.5 9"));
}
END_TEST

START_TEST(requests_of_http)
{
	spk_test_http(test, "GET http://ipam.example/api/hosts/*",
		      SPK_TEST_REPLY(.code = 503, .times = 1));
	spk_test_http(test, "GET http://ipam.example/api/hosts/*",
		      SPK_TEST_REPLY(.out = "{\"status\": \"active\"}",
				     .err = "Content-Type: application/json\n"));
	SPK_EXPECT(spk_test_exits(test, "http", 0));
	SPK_EXPECT(spk_test_logged(test, "status active"));
	SPK_EXPECT(spk_test_in_order(test, "http GET * -> 503", "http GET * -> 200", NULL));
	SPK_EXPECT(spk_test_requested(test, "GET *db1"));
	refuted(spk_test_requested(test, "POST *"), "not requested: POST *");
}
END_TEST

START_TEST(names_of_the_dns)
{
	SPK_EXPECT(spk_test_exits(test, "dns", 99));
	spk_test_dns(test, "A web.example", "192.0.2.1\n192.0.2.2");
	SPK_EXPECT(spk_test_exits(test, "dns", 0));
	SPK_EXPECT(spk_test_logged(test, "address 192.0.2.1,192.0.2.2"));
	SPK_EXPECT(spk_test_exits(test, "ips web.example", 0));
	SPK_EXPECT(spk_test_logged(test, "addresses 192.0.2.1,192.0.2.2"));
	SPK_EXPECT(spk_test_exits(test, "ips eb.example", 99));
	SPK_EXPECT(spk_test_logged(test, "*there is no such name*"));
}
END_TEST

START_TEST(keys_of_conftool)
{
	static const char key[] = "/conftool/v1/pools/dc1/web/nginx/web1";

	spk_test_kv(test, key, "{\"pooled\": \"yes\", \"weight\": 10}");
	SPK_EXPECT(spk_test_exits(test, "conftool", 0));
	SPK_EXPECT(spk_test_kv_is(test, key, "*\"pooled\": \"no\"*"));
	refuted(spk_test_kv_is(test, key, "*\"yes\"*"), "the key /conftool/");
	SPK_EXPECT(spk_test_kv_is(test, "/conftool/v1/pools/dc1/web/nginx/web2", NULL));
}
END_TEST

START_TEST(programs_of_this_machine)
{
	SPK_EXPECT(spk_test_exits(test, "program", 99));
	spk_test_program(test, "no-such-program-but-here",
			 SPK_TEST_REPLY(.out = "it's 100% \\n me"));
	SPK_EXPECT(spk_test_exits(test, "program", 0));
	SPK_EXPECT(spk_test_logged(test, "it said it's 100% \\n me"));
	SPK_EXPECT(spk_test_ran_here(test, "no-such-program-but-here 'a b'"));
	refuted(spk_test_ran_here(test, "no-such-program"), "did not run here");
}
END_TEST

START_TEST(a_cookbook_within)
{
	SPK_EXPECT(spk_test_exits(test, "nested within", 0));
	SPK_EXPECT(spk_test_logged(test, "said: within"));
}
END_TEST

START_TEST(a_dry_run)
{
	spk_test_dry_run(test);
	SPK_EXPECT(spk_test_exits(test, "change", 0));
	SPK_EXPECT(spk_test_not_ran(test, "*", "*"));
}
END_TEST

/* ---- every step ---- */

/* Names for a backtrace take a sanitized build its time. */
#define LIMIT SPK_MINUTES(2)

static void db1(struct spk_test *world, void *data)
{
	spk_test_time_limit(world, LIMIT);
	spk_test_host(world, "db1", "*", SPK_TEST_REPLY());
}

static const char *is_started(struct spk_test *world, void *data)
{
	return spk_test_undone(world, "stop it", "start it");
}

START_TEST(every_step_of_who_is_careful)
{
	SPK_EXPECT(spk_test_every_step(
		SPK_TEST_STEPS(COOKBOOK, "change careful", .set_up = db1, .check = is_started)));
	ck_assert_uint_gt(spk_test_every_step_runs(), 20);
}
END_TEST

/* Without a rollback that starts it, the first trouble behind the stop is one too many. */
START_TEST(every_step_of_who_is_not)
{
	static const struct {
		uint32_t trouble;
		const char *words;
	} troubles[] = {
		{SPK_TEST_FAILURE, "with a failure of step "},
		{SPK_TEST_INTERRUPT, "with Ctrl+C at step "},
		{SPK_TEST_CRASH, "with a crash at step "},
	};

	for (size_t i = 0; i < 3; i++) {
		const char *why = spk_test_every_step(
			SPK_TEST_STEPS(COOKBOOK, "change", .set_up = db1, .check = is_started,
				       .troubles = troubles[i].trouble));

		refuted(why, troubles[i].words);
		ck_assert_ptr_nonnull(
			strstr(why, "not undone on db1: 'stop it' was not followed by"));
		ck_assert_ptr_nonnull(strstr(why, "TROUBLE: "));
	}
}
END_TEST

START_TEST(every_step_wants_one_that_passes)
{
	refuted(spk_test_every_step(SPK_TEST_STEPS(COOKBOOK, "return 3")),
		"exit code 3 without any trouble, expected 0");
}
END_TEST

START_TEST(every_step_of_questions_locks_and_requests)
{
	static const char *const actions[] = {"lock", "http", "dns", "program", "nested x"};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		const char *why = spk_test_every_step(SPK_TEST_STEPS(COOKBOOK, actions[i]));

		/* What nobody plays fails without trouble, too. */
		if (i == 0 || i == 4)
			SPK_EXPECT(why);
		else
			refuted(why, "exit code 99 without any trouble");
	}
}
END_TEST

static void databases(struct spk_test *world, void *data)
{
	spk_test_time_limit(world, LIMIT);
	spk_test_query(world, "P{db}", "db[1-3]");
}

/* What became of each run with trouble. */
static const char *count_failures(struct spk_test *world, void *data)
{
	int *failed = data;

	failed[0] += strstr(spk_test_story(world), "\nend FAIL, exit code 90") != NULL;
	failed[1] += strstr(spk_test_story(world), "query P{db} -> failed") != NULL;
	return NULL;
}

/* The run's own lock and the query, and nothing else that could fail. */
START_TEST(every_step_of_the_run_itself)
{
	int failed[2] = {0, 0};

	SPK_EXPECT(spk_test_every_step(SPK_TEST_STEPS(COOKBOOK, "query P{db}", .set_up = databases,
						      .check = count_failures, .data = failed,
						      .troubles = SPK_TEST_FAILURE)));
	ck_assert_uint_eq(spk_test_every_step_runs(), 3);
	ck_assert_int_eq(failed[0], 1);
	ck_assert_int_eq(failed[1], 1);
	databases(test, NULL);
	SPK_EXPECT(spk_test_exits(test, "query P{db}", 0));
	SPK_EXPECT(spk_test_in_order(test, "lock */kit.subject", "query P{db} -> db[1-3]",
				     "log INFO: 3 hosts", NULL));
}
END_TEST

/* Somebody whom only a driver of the test knows: tests/extension has one. */
START_TEST(rules_of_ones_own)
{
	spk_test_rule(test, "racks", "get *", SPK_TEST_REPLY(.out = "spare"));
	SPK_EXPECT(spk_test_exits(test, "log x", 0));
	refuted(spk_test_reached(test, "racks", "get *"), "racks was not reached: get *");
}
END_TEST

START_TEST(nothing_is_said_of_no_run)
{
	static const char none[] = "there was no run to look at";

	refuted(spk_test_not_logged(test, "x"), none);
	refuted(spk_test_not_ran(test, "*", "x"), none);
	refuted(spk_test_not_ran(test, "web1", "x"), none);
	refuted(spk_test_undone(test, "x", "y"), none);
	refuted(spk_test_clean(test), none);
}
END_TEST

/* ---- calls that make no sense ---- */

/* It ends the process with 1, and with these words on stderr. */
static void gives_up(void (*call)(void), const char *words)
{
	char said[256] = "";
	size_t length = 0;
	ssize_t got;
	int ends[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		call();
		_exit(0);
	}
	close(ends[1]);
	while ((got = read(ends[0], said + length, sizeof(said) - 1 - length)) > 0)
		length += (size_t)got;
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_str_eq(said, words);
	ck_assert_int_eq(status, 1 << 8);
}

static void write_a_file_of_the_machine(void)
{
	spk_test_file(test, "remote/../../../x.cfg", "");
}

static void give_no_command(void)
{
	spk_test_host(test, "web1", NULL, SPK_TEST_REPLY());
}

static void give_no_reply(void)
{
	spk_test_http(test, "GET /", NULL);
}

static void give_no_test(void)
{
	(void)spk_test_logged(NULL, "x");
}

static void name_no_hosts(void)
{
	spk_test_host(test, "web[1", "true", SPK_TEST_REPLY());
}

START_TEST(what_makes_no_sense_is_told)
{
	gives_up(give_no_command, "spicerack-testing: spk_test_host(): 'command' is NULL\n");
	gives_up(give_no_reply, "spicerack-testing: spk_test_http(): 'reply' is NULL\n");
	gives_up(give_no_test, "spicerack-testing: spk_test_logged(): 'test' is no live test\n");
	gives_up(name_no_hosts, "spicerack-testing: 'web[1' is not a set of "
				"hosts: a bracket is not closed\n");
	gives_up(write_a_file_of_the_machine,
		 "spicerack-testing: 'remote/../../../x.cfg' is no file below the configuration of "
		 "the test\n");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		nothing_is_said_of_no_run,
		a_record_of_the_log,
		an_exit_code,
		a_crash_is_an_exit_code,
		who_does_not_end_is_ended,
		answers_in_their_order,
		nobody_answers_what_the_test_does_not,
		hours_pass_at_once,
		locks_of_others,
		replies_of_hosts,
		replies_that_were_recorded,
		requests_of_http,
		names_of_the_dns,
		keys_of_conftool,
		programs_of_this_machine,
		a_cookbook_within,
		a_dry_run,
		every_step_of_who_is_careful,
		every_step_of_who_is_not,
		every_step_wants_one_that_passes,
		every_step_of_questions_locks_and_requests,
		every_step_of_the_run_itself,
		rules_of_ones_own,
		what_makes_no_sense_is_told,
	};
	Suite *suite = suite_create("kit");
	TCase *all = tcase_create("kit");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, all);
	tcase_add_checked_fixture(all, begin, end);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(all, tests[i]);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
