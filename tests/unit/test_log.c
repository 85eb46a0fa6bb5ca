/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/log/log.h"
#include "../../core/host/log/redactor.h"

#include "scratch.h"

static struct settings *settings;
static struct identity identity;
static struct log *run_log;
static struct err err;
static int stderr_kept;

static void set_up(void)
{
	static char home[128];
	char *environment[] = {home, NULL};
	struct settings_source source = {
		.sysconf_dir = "/nonexistent",
		.cookbooks_dir = "/nonexistent",
		.environment = environment,
	};
	int fd;

	scratch_make();
	snprintf(home, sizeof(home), "HOME=%s", scratch);
	ck_assert_int_eq(settings_read(&source, &settings, &err), 0);
	identity_fill(&identity);
	fflush(stderr);
	stderr_kept = dup(STDERR_FILENO);
	fd = open(scratch_path("stderr"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dup2(fd, STDERR_FILENO);
	close(fd);
	run_log = NULL;
}

static void tear_down(void)
{
	log_close(run_log);
	settings_free(settings);
	dup2(stderr_kept, STDERR_FILENO);
	close(stderr_kept);
	scratch_remove();
}

static void ends_with(const char *name, const char *ending)
{
	char *text = scratch_read(name);
	size_t length = strlen(text), wanted = strlen(ending);

	ck_assert_uint_ge(length, wanted);
	ck_assert_str_eq(text + length - wanted, ending);
	free(text);
}

START_TEST(one_record_to_all_sinks)
{
	static char secret[] = "hunter2";

	ck_assert_int_eq(log_open(settings, "group1.c", false, false, &identity, &run_log, &err),
			 0);
	ck_assert_int_eq(redactor_add(redactor_shared(), secret, &err), 0);
	log_debug(run_log, "only in %s", "extended");
	log_warning(run_log, "the password is %s!", secret);
	ends_with(".local/state/spicerack/logs/group1/c.log",
		  "[WARNING] the password is ********!\n");
	ends_with(".local/state/spicerack/logs/group1/c-extended.log",
		  " in one_record_to_all_sinks_fn] the password is ********!\n");
	ends_with("stderr", "the password is ********!\n");
}
END_TEST

START_TEST(a_secret_of_the_configuration)
{
	char logs[128];
	const struct setting_key keys[] = {
		{.path = "logs_base_dir", .type = SETTING_PATH, .initial = logs},
		{.path = "irc.password",
		 .type = SETTING_STRING,
		 .initial = "swordfish",
		 .secret = true},
	};
	const struct settings_source source = {
		.sysconf_dir = "/nonexistent",
		.cookbooks_dir = "/nonexistent",
		.keys = keys,
		.key_count = sizeof(keys) / sizeof(keys[0]),
	};
	struct settings *own;

	snprintf(logs, sizeof(logs), "%s/logs", scratch);
	ck_assert_msg(settings_read(&source, &own, &err) == 0, "%s", err.text);
	ck_assert_int_eq(log_open(own, "c", false, false, &identity, &run_log, &err), 0);
	settings_free(own);
	log_error(run_log, "cannot log in as x:swordfish");
	ends_with("logs/c.log", "[ERROR] cannot log in as x:********\n");
}
END_TEST

START_TEST(failure_of_a_file_is_told_on_the_terminal)
{
	char expected[512];

	ck_assert_int_eq(log_open(settings, "c", true, false, &identity, &run_log, &err), 0);
	unlink(scratch_path(".local/state/spicerack/logs/c.log"));
	scratch_directory(".local/state/spicerack/logs/c.log");
	log_info(run_log, "one");
	log_info(run_log, "two");
	snprintf(expected, sizeof(expected),
		 "DRY-RUN: one\nDRY-RUN: cannot log to a file: "
		 "%s/.local/state/spicerack/logs/c.log: cannot open: Is a directory, ignoring\n"
		 "DRY-RUN: two\n",
		 scratch);
	ends_with("stderr", expected);
}
END_TEST

START_TEST(terminal_only)
{
	ck_assert_int_eq(log_open(settings, NULL, false, true, &identity, &run_log, &err), 0);
	log_debug(run_log, "here");
	ends_with("stderr", "here\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, one_record_to_all_sinks);
	tcase_add_test(tcase, a_secret_of_the_configuration);
	tcase_add_test(tcase, failure_of_a_file_is_told_on_the_terminal);
	tcase_add_test(tcase, terminal_only);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
