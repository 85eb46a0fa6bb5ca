/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/command/config_command.h"

#include "scratch.h"

static int kept[3];

static void set_up(void)
{
	scratch_make();
	unsetenv("SPICERACK_LOGS_BASE_DIR");
}

static void tear_down(void)
{
	scratch_remove();
}

static void redirect(int fd, const char *name)
{
	int to = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	kept[fd] = dup(fd);
	dup2(to, fd);
	close(to);
}

static void restore(int fd)
{
	dup2(kept[fd], fd);
	close(kept[fd]);
}

/* Runs it with up to four words; what it prints is in `out` and `err` of the scratch directory. */
static int run(const char *a, const char *b, const char *c, const char *d)
{
	char words[4][PATH_MAX];
	const char *given[] = {a, b, c, d};
	char *argv[5] = {NULL};
	int argc = 0, rc;

	for (; argc < 4 && given[argc]; argc++) {
		snprintf(words[argc], sizeof(words[argc]), "%s", given[argc]);
		argv[argc] = words[argc];
	}
	fflush(NULL);
	redirect(STDOUT_FILENO, "out");
	redirect(STDERR_FILENO, "err");
	rc = subcommands_run(&config_subcommands, argc, argv);
	fflush(NULL);
	restore(STDOUT_FILENO);
	restore(STDERR_FILENO);
	return rc;
}

static void printed(const char *out, const char *err)
{
	char *text = scratch_read("out");

	if (out)
		ck_assert_str_eq(text, out);
	free(text);
	text = scratch_read("err");
	ck_assert_str_eq(text, err);
	free(text);
}

#define USAGE "usage: spicerack config [-h] {show} ...\n"
#define USAGE_SHOW "usage: spicerack config show [-h] [-c FILE] [--origin]\n"

/* Nothing on stdout; on stderr the usage first and the error at the end. */
static void refused(const char *usage, const char *error)
{
	char *text = scratch_read("err");
	size_t length = strlen(text);

	ck_assert_int_eq(strncmp(text, usage, strlen(usage)), 0);
	ck_assert_uint_ge(length, strlen(error));
	ck_assert_str_eq(text + length - strlen(error), error);
	free(text);
	text = scratch_read("out");
	ck_assert_str_eq(text, "");
	free(text);
}

START_TEST(usage_errors)
{
	ck_assert_int_eq(run(NULL, NULL, NULL, NULL), 2);
	refused(USAGE, "show this help message and exit\n");
	ck_assert_int_eq(run("shwo", NULL, NULL, NULL), 2);
	refused(USAGE, "spicerack config: error: there is no command 'shwo'\n");
	ck_assert_int_eq(run("--origin", NULL, NULL, NULL), 2);
	refused(USAGE, "spicerack config: error: there is no command '--origin'\n");
	ck_assert_int_eq(run("show", "--orig", NULL, NULL), 2);
	printed("", USAGE_SHOW "spicerack config show: error: unrecognized arguments: --orig\n");
	ck_assert_int_eq(run("show", "-c", NULL, NULL), 2);
	printed("", USAGE_SHOW "spicerack config show: error: argument -c/--config-file: expected "
			       "one argument\n");
}
END_TEST

START_TEST(help)
{
	char *text;

	ck_assert_int_eq(run("-h", NULL, NULL, NULL), 0);
	printed(NULL, "");
	ck_assert_int_eq(run("show", "--help", NULL, NULL), 0);
	printed(NULL, "");
	text = scratch_read("out");
	ck_assert_ptr_nonnull(strstr(text, "instance_params.http_proxy"));
	ck_assert_ptr_nonnull(strstr(text, "(SPICERACK_INSTANCE_PARAMS_HTTP_PROXY)"));
	free(text);
}
END_TEST

START_TEST(output_is_its_own_input)
{
	char *first, *second, *file;

	scratch_file("x.cfg", "cookbooks_base_dirs = [\"/a\"];\nlogs_base_dir = \"/logs\";\n"
			      "sites = { core = [\"eqiad\"]; };\n");
	file = strdup(scratch_path("x.cfg"));
	ck_assert_int_eq(run("show", "-c", file, NULL), 0);
	first = scratch_read("out");
	ck_assert_ptr_nonnull(strstr(first, "logs_base_dir = \"/logs\";\n"));
	scratch_file("x.cfg", first);
	ck_assert_int_eq(run("show", "-c", file, "--origin"), 0);
	printed(NULL, "");
	second = scratch_read("out");
	ck_assert_ptr_nonnull(strstr(second, "x.cfg:2\n"));
	scratch_file("x.cfg", second);
	free(second);
	ck_assert_int_eq(run("show", "-c", file, NULL), 0);
	second = scratch_read("out");
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
	free(file);
}
END_TEST

START_TEST(bad_configuration)
{
	char expected[512];

	scratch_file("x.cfg", "\nnonsense = 1;\n");
	snprintf(expected, sizeof(expected), "%s/x.cfg:2: unknown key 'nonsense'\n", scratch);
	ck_assert_int_eq(run("show", "-c", scratch_path("x.cfg"), NULL), 1);
	printed("", expected);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config_command");
	TCase *tcase = tcase_create("config_command");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, usage_errors);
	tcase_add_test(tcase, help);
	tcase_add_test(tcase, output_is_its_own_input);
	tcase_add_test(tcase, bad_configuration);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
