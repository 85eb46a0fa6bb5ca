/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/regex.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/runtime/driver.h"
#include "../../core/runtime/pattern.h"
#include "sdk_stub.h"

#define spk (sdk_session())

static void assert_list(spk_strings list, size_t count, const char *joined)
{
	ck_assert_str_eq(spk_join(spk, "|", list), joined);
	ck_assert_uint_eq(list.count, count);
}

START_TEST(matches)
{
	ck_assert(spk_matches(spk, "b+", "abbc"));
	ck_assert(!spk_matches(spk, "^b", "abbc"));
	ck_assert(spk_matches(spk, "^.$", "\xc3\xa4"));
	ck_assert(spk_matches(spk, "", ""));
	SDK_RAISES("misuse", spk_matches(spk, NULL, ""));
	SDK_RAISES("regex", spk_matches(spk, "a(b", ""));
	ck_assert(strstr(sdk_message(), "a(b"));
	ck_assert(strstr(sdk_message(), "byte 3"));
}
END_TEST

START_TEST(has_groups)
{
	const struct spk_match *match = spk_match(spk, "(?<name>[a-z]+)(\\d+)?(x*)", "1 db 2");

	ck_assert_str_eq(spk_match_group(match, 0), "db");
	ck_assert_str_eq(spk_match_group(match, 1), "db");
	ck_assert_ptr_null(spk_match_group(match, 2));
	ck_assert_str_eq(spk_match_group(match, 3), "");
	ck_assert_ptr_null(spk_match_group(match, 4));
	ck_assert_str_eq(spk_match_named(match, "name"), "db");
	ck_assert_ptr_null(spk_match_named(match, "nobody"));
	ck_assert_ptr_null(spk_match(spk, "x", "y"));
	SDK_RAISES("misuse", spk_match_group(NULL, 0));
}
END_TEST

START_TEST(finds_all)
{
	assert_list(spk_match_all(spk, "\\d+", "a1b22c333"), 3, "1|22|333");
	assert_list(spk_match_all(spk, "(\\w)=", "a=1 b=2"), 2, "a|b");
	assert_list(spk_match_all(spk, "(a)|b", "ab"), 2, "a|");
	assert_list(spk_match_all(spk, "a*", "baac"), 4, "|aa||");
	assert_list(spk_match_all(spk, "", "\xc3\xa4z"), 3, "||");
	assert_list(spk_match_all(spk, "x", "abc"), 0, "");
	assert_list(spk_match_all(spk, "(?<=a)b", "ab bb"), 1, "b");
	assert_list(spk_regex_split(spk, "\\s*,\\s*", "a , b,c"), 3, "a|b|c");
	assert_list(spk_regex_split(spk, ",", ""), 1, "");
	assert_list(spk_regex_split(spk, ",", ",a,"), 3, "|a|");
	assert_list(spk_regex_split(spk, "(,)", "a,b"), 2, "a|b");
}
END_TEST

START_TEST(substitutes)
{
	char *big = spk_alloc(spk, 10001);

	ck_assert_str_eq(spk_substitute(spk, "(\\w+)@(?<host>\\w+)", "${host}:$1$$", "a@b c@d"),
			 "b:a$ d:c$");
	ck_assert_str_eq(spk_substitute(spk, "x", "y", "abc"), "abc");
	ck_assert_str_eq(spk_substitute(spk, "(a)|b", "<$1>", "ab"), "<a><>");
	memset(big, 'a', 10000);
	ck_assert_uint_eq(strlen(spk_substitute(spk, "a", "bc", big)), 20000);
	SDK_RAISES("regex", spk_substitute(spk, "a", "$9", "a"));
}
END_TEST

START_TEST(quotes)
{
	const char *odd = "a.b*c[d](e){f}^$|\\?+-#/ \t\n\xc3\xa4'\"";
	char every[256];

	ck_assert_str_eq(spk_match_group(spk_match(spk, spk_regex_quote(spk, odd), odd), 0), odd);
	for (int i = 1; i < 128; i++)
		every[i - 1] = (char)i;
	every[127] = '\0';
	ck_assert_int_eq(pattern_matches(spk_regex_quote(spk, every), every, NULL), 1);
	ck_assert_str_eq(spk_regex_quote(spk, "db1.org"), "db1\\.org");
}
END_TEST

START_TEST(survives_bytes_that_are_no_text)
{
	const char *broken = "a\xff"
			     "b\xc3"
			     "c\xed\xa0\x80"
			     "d";

	ck_assert(spk_matches(spk, "d$", broken));
	ck_assert(!spk_matches(spk, "^a.b", broken));
	assert_list(spk_match_all(spk, "[a-d]", broken), 4, "a|b|c|d");
	ck_assert_uint_eq(spk_match_all(spk, "", broken).count > 3, true);
	ck_assert_ptr_nonnull(spk_substitute(spk, "[a-d]", "x", broken));
	SDK_RAISES("regex", spk_matches(spk, "\xff", "a"));
}
END_TEST

START_TEST(gives_up_on_explosions)
{
	char text[2001], *many = spk_alloc(spk, 50001);

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 2] = '!';
	text[sizeof(text) - 1] = '\0';
	SDK_RAISES("regex", spk_matches(spk, "^(a+)+$", text));
	ck_assert(strstr(sdk_message(), "too many steps"));
	SDK_RAISES("regex", spk_matches(spk, "(a|aa)+$", text));
	SDK_RAISES("regex", spk_substitute(spk, "(a+)+$", "", text));
	memset(many, 'a', 50000);
	SDK_RAISES("regex", spk_matches(spk, "(?:a|b)*[xy]", many));
	ck_assert(strstr(sdk_message(), "too many steps"));
	ck_assert_uint_eq(spk_match_all(spk, "a", many).count, 50000);
}
END_TEST

START_TEST(whole_text)
{
	struct err err = {{0}};

	ck_assert_int_eq(pattern_matches("a|ab", "ab", &err), 1);
	ck_assert_int_eq(pattern_matches("a", "ab", &err), 0);
	ck_assert_int_eq(pattern_matches("a", "a\n", &err), 0);
	ck_assert_int_eq(pattern_matches("(", "ab", &err), -1);
	ck_assert(strstr(err.text, "'('"));
}
END_TEST

START_TEST(names_a_missing_driver)
{
	struct err err = {{0}};

	ck_assert_ptr_null(driver_open("regex", "nobody", 0, &err));
	ck_assert(strstr(err.text, "regex-nobody.so"));
	ck_assert_ptr_null(driver_open("regex", "../pcre2", 0, &err));
	ck_assert_ptr_null(driver_open("regex", "pcre2", 100000, &err));
	ck_assert(strstr(err.text, "older"));
	ck_assert_ptr_nonnull(driver_open("regex", "pcre2", sizeof(struct spk_regex_driver), &err));
	ck_assert_ptr_eq(driver_open("regex", "pcre2", 0, &err),
			 driver_open("regex", "pcre2", 0, &err));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("regex");
	TCase *tcase = tcase_create("regex");
	SRunner *runner = srunner_create(suite);
	int failed;

	driver_set_directory(TEST_PLUGIN_DIR);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, matches);
	tcase_add_test(tcase, has_groups);
	tcase_add_test(tcase, finds_all);
	tcase_add_test(tcase, substitutes);
	tcase_add_test(tcase, quotes);
	tcase_add_test(tcase, survives_bytes_that_are_no_text);
	tcase_add_test(tcase, gives_up_on_explosions);
	tcase_add_test(tcase, whole_text);
	tcase_add_test(tcase, names_a_missing_driver);
	tcase_add_checked_fixture(tcase, NULL, sdk_end);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
