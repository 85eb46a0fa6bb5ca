/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, as text. */
#include <spicerack/output.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sdk_stub.h"

#define spk (sdk_session())

START_TEST(columns)
{
	struct spk_table *table = spk_table_new(spk, SPK_STRINGS("host", "load", "state"));

	ck_assert_str_eq(spk_table_text(table), "host  load  state\n"
						"----  ----  -----");
	spk_table_row(table, SPK_STRINGS("db1", "12", "ready"));
	spk_table_row(table, SPK_STRINGS("日本", "-1.5", ""));
	spk_table_row(table, SPK_STRINGS("", "", ""));
	spk_table_row(table, SPK_STRINGS("e\xcc\x81", "1,024", "gone"));
	ck_assert_str_eq(spk_table_text(table), "host   load  state\n"
						"----  -----  -----\n"
						"db1      12  ready\n"
						"日本   -1.5\n"
						"\n"
						"e\xcc\x81     1,024  gone");
}
END_TEST

START_TEST(what_is_a_number)
{
	static const char *const numbers[] = {"0", "-7", "+7", "1.5", "1,024", "40%", "12:30"};
	static const char *const others[] = {"-", "%", "1a", "a1", "1%%", "1 2", ".5", "10.0.0.1x"};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct spk_table *table = spk_table_new(spk, SPK_STRINGS("a long head"));

		spk_table_row(table, SPK_STRINGS(numbers[i]));
		ck_assert_msg(strstr(spk_table_text(table), "\n    "), "%s", numbers[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct spk_table *table = spk_table_new(spk, SPK_STRINGS("a long head"));

		spk_table_row(table, SPK_STRINGS("1"));
		spk_table_row(table, SPK_STRINGS(others[i]));
		ck_assert_msg(!strstr(spk_table_text(table), "\n    "), "%s", others[i]);
	}
}
END_TEST

START_TEST(what_cells_may_hold)
{
	struct spk_table *table = spk_table_new(spk, SPK_STRINGS("a\tb"));

	spk_table_row(table, SPK_STRINGS("one\ntwo\033[2J\xff"));
	ck_assert_str_eq(spk_table_text(table), "a\\x09b\n"
						"---------------------\n"
						"one\\x0atwo\\x1b[2J\\xff");
}
END_TEST

START_TEST(misuse)
{
	struct spk_table *table = spk_table_new(spk, SPK_STRINGS("a", "b"));

	SDK_RAISES("misuse", spk_table_new(spk, (spk_strings){0}));
	SDK_RAISES("misuse", spk_table_row(table, SPK_STRINGS("1")));
	ck_assert_ptr_nonnull(strstr(sdk_message(), "1 cells for 2 columns"));
	SDK_RAISES("misuse", spk_table_row(table, SPK_STRINGS("1", NULL)));
	SDK_RAISES("misuse", spk_table_text(NULL));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("table");
	TCase *tcase = tcase_create("table");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, columns);
	tcase_add_test(tcase, what_is_a_number);
	tcase_add_test(tcase, what_cells_may_hold);
	tcase_add_test(tcase, misuse);
	tcase_add_checked_fixture(tcase, NULL, sdk_end);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
