/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/runtime/backtrace.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/runtime/driver.h"

static const uintptr_t addresses[8] = {16, 17, 18, 19, 20, 21, 22, 23};
static const bool returns[8] = {true, true, true, true, true, true, true, true};

static void assert_written(const struct spk_frame *frames, size_t count, bool crash,
			   const char *expected)
{
	const bool is_return[8] = {!crash, true, true, true, true, true, true, true};
	struct buf out = {0};

	backtrace_write(frames, addresses, is_return, count, &out);
	ck_assert_str_eq(buf_text(&out), expected);
	buf_free(&out);
}

START_TEST(leaves_out_the_host)
{
	const struct spk_frame frames[] = {
		{.function = "keep", .object = "libspicerack.so.1"},
		{.function = "spk_fail", .object = "libspicerack.so.1"},
		{.function = "helper", .object = "a.so", .file = "/x/a.c", .line = 7},
		{.function = "qsort", .object = "libc.so.6"},
		{.function = "run", .object = "a.so"},
		{.function = "guard_call", .object = "libspicerack.so.1"},
		{.function = "main", .object = "runner"},
		{.function = "__libc_start_main", .object = "libc.so.6"},
	};

	assert_written(frames, 8, false,
		       "    #0 spk_fail in libspicerack.so.1\n    #1 helper (a.c:7) in a.so\n"
		       "    #2 qsort in libc.so.6\n    #3 run in a.so\n");
	assert_written(frames, 4, true,
		       "    #0 keep in libspicerack.so.1\n    #1 spk_fail in libspicerack.so.1\n"
		       "    #2 helper (a.c:7) in a.so\n");
	assert_written(&frames[5], 2, false, "");
	assert_written(&frames[5], 2, true,
		       "    #0 guard_call in libspicerack.so.1\n    #1 main in runner\n");
	assert_written(frames, 0, false, "");
}
END_TEST

START_TEST(shows_what_it_does_not_know)
{
	const struct spk_frame frames[] = {{.object = "a.so"}, {.object = ""}};

	assert_written(frames, 2, false, "    #0 0x10 in a.so\n    #1 0x11\n");
}
END_TEST

static __attribute__((noinline)) uintptr_t here(void)
{
	return (uintptr_t)__builtin_return_address(0);
}

START_TEST(names_this_file)
{
	const bool is_return = true;
	struct buf out = {0};
	char expected[128];
	uintptr_t address;

	address = here();
	snprintf(expected, sizeof(expected), " (test_backtrace.c:%d) in ", __LINE__ - 1);
	backtrace_describe(&address, &is_return, 1, &out);
	ck_assert_msg(strstr(buf_text(&out), expected), "%s", buf_text(&out));
	ck_assert_msg(strstr(buf_text(&out), "#0 names_this_file"), "%s", buf_text(&out));
	buf_free(&out);
}
END_TEST

START_TEST(does_without_the_driver)
{
	uintptr_t address = (uintptr_t)&malloc;
	const bool is_return = false;
	struct buf out = {0};

	driver_set_directory("/nonexistent");
	backtrace_describe(&address, &is_return, 1, &out);
	ck_assert_msg(strstr(buf_text(&out), "#0 "), "%s", buf_text(&out));
	ck_assert_msg(strstr(buf_text(&out), " in "), "%s", buf_text(&out));
	driver_set_directory(NULL);
	buf_free(&out);
}
END_TEST

START_TEST(survives_wild_addresses)
{
	const uintptr_t wild[] = {0, 1, UINTPTR_MAX, (uintptr_t)&returns, 4096};
	struct buf out = {0};

	backtrace_describe(wild, returns, 5, &out);
	ck_assert_msg(strstr(buf_text(&out), "#0 0x0\n"), "%s", buf_text(&out));
	buf_free(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("backtrace");
	TCase *tcase = tcase_create("backtrace");
	SRunner *runner = srunner_create(suite);
	int failed;

	driver_set_directory(TEST_PLUGIN_DIR);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, leaves_out_the_host);
	tcase_add_test(tcase, shows_what_it_does_not_know);
	tcase_add_test(tcase, names_this_file);
	tcase_add_test(tcase, does_without_the_driver);
	tcase_add_test(tcase, survives_wild_addresses);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
