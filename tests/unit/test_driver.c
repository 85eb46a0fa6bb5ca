/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/runtime/driver.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The table of the kind "odd" that this host knows: see tests/fixture/driver. */
struct odd_driver {
	struct spk_driver driver;
	int (*answer)(void);
};

static const struct odd_driver *open_odd(const char *name, struct err *err)
{
	return (const struct odd_driver *)driver_open("odd", name, sizeof(struct odd_driver), err);
}

START_TEST(takes_tables_of_this_size_and_longer)
{
	static const char *const names[] = {"plain", "longer"};
	struct err err = {{0}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct odd_driver *odd = open_odd(names[i], &err);

		ck_assert_msg(odd != NULL, "%s: %s", names[i], err.text);
		ck_assert_int_eq(odd->answer(), 42);
		ck_assert_ptr_eq(open_odd(names[i], &err), odd);
	}
}
END_TEST

/* Who asks for less takes the shorter table, and who asks for more later does not. */
START_TEST(takes_a_shorter_table_for_what_is_in_it)
{
	struct err err = {{0}};

	ck_assert_ptr_nonnull(driver_open("odd", "shorter", sizeof(struct spk_driver), &err));
	ck_assert_ptr_null(open_odd("shorter", &err));
	ck_assert_msg(strstr(err.text, "older"), "%s", err.text);
}
END_TEST

static const struct {
	const char *name, *reason;
} refused[] = {
	{"shorter", "it is older than this host: its table has 24 bytes, 32 are needed"},
	{"headless", "it is older than this host: its table has 8 bytes"},
	{"abi", "its interface is version 2, not 1"},
	{"kind", "it says that it is even-kind"},
	{"name", "it says that it is odd-other"},
	{"nameless", "it says that it is odd-?"},
	{"none", "it exports no spk_driver"},
	{"missing", "the driver odd-missing is not installed"},
	{"text", "cannot open the driver"},
	{"open", "not trusted, others may write to it"},
	{"../odd-plain", "not such a name"},
	{"", "not such a name"},
};

START_TEST(says_why_it_takes_none)
{
	struct err err = {{0}};

	ck_assert_ptr_null(open_odd(refused[_i].name, &err));
	ck_assert_msg(strstr(err.text, refused[_i].reason), "'%s' does not say '%s'", err.text,
		      refused[_i].reason);
	ck_assert_msg(strstr(err.text, refused[_i].name), "'%s' does not name '%s'", err.text,
		      refused[_i].name);
	ck_assert_ptr_null(strchr(err.text, '\n'));
}
END_TEST

/* A file that is no shared object, and one that anybody may change. */
static void make_files(void)
{
	static const char text[] = "no shared object\n";
	static const struct {
		const char *path;
		mode_t mode;
	} files[] = {
		{DRIVER_FIXTURES "/odd-text.so", 0644},
		{DRIVER_FIXTURES "/odd-open.so", 0666},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		FILE *file = fopen(files[i].path, "we");

		ck_assert_ptr_nonnull(file);
		ck_assert_int_eq(fputs(text, file) < 0, 0);
		ck_assert_int_eq(fclose(file), 0);
		ck_assert_int_eq(chmod(files[i].path, files[i].mode), 0);
	}
}

int main(void)
{
	Suite *suite = suite_create("driver");
	TCase *tcase = tcase_create("driver");
	SRunner *runner = srunner_create(suite);
	int failed;

	driver_set_directory(DRIVER_FIXTURES);
	tcase_add_unchecked_fixture(tcase, make_files, NULL);
	tcase_add_test(tcase, takes_tables_of_this_size_and_longer);
	tcase_add_test(tcase, takes_a_shorter_table_for_what_is_in_it);
	tcase_add_loop_test(tcase, says_why_it_takes_none, 0,
			    (int)(sizeof(refused) / sizeof(refused[0])));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
