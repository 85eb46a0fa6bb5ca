/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/text.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk_stub.h"

/* The same without the compiler's look at the format. */
static const char *(*volatile unchecked)(struct spk *, const char *, ...) = spk_shell_format;

#define spk (sdk_session())

static void assert_list(spk_strings list, size_t count, const char *joined)
{
	ck_assert_uint_eq(list.count, count);
	ck_assert_str_eq(spk_join(spk, "|", list), joined);
}

START_TEST(formats)
{
	ck_assert_str_eq(spk_format(spk, "%s-%d", "a", 7), "a-7");
	ck_assert_str_eq(spk_format(spk, "%s", ""), "");
	ck_assert_uint_eq(strlen(spk_format(spk, "%100000d", 1)), 100000);
}
END_TEST

START_TEST(compares_and_strips)
{
	ck_assert(spk_streq(NULL, NULL) && spk_streq("a", "a"));
	ck_assert(!spk_streq("a", NULL) && !spk_streq(NULL, "a") && !spk_streq("a", "b"));
	ck_assert(spk_is_empty(NULL) && spk_is_empty("") && !spk_is_empty(" "));
	ck_assert(spk_has_prefix("abc", "ab") && spk_has_prefix("abc", ""));
	ck_assert(!spk_has_prefix("ab", "abc"));
	ck_assert(spk_has_suffix("abc", "bc") && spk_has_suffix("abc", ""));
	ck_assert(!spk_has_suffix("bc", "abc"));
	ck_assert(spk_contains("abc", "b") && !spk_contains("abc", "x"));
	ck_assert_str_eq(spk_strip_prefix(spk, "aab", "a"), "ab");
	ck_assert_str_eq(spk_strip_prefix(spk, "aab", "b"), "aab");
	ck_assert_str_eq(spk_strip_suffix(spk, "abb", "b"), "ab");
	ck_assert_str_eq(spk_strip_suffix(spk, "abb", "a"), "abb");
	ck_assert_str_eq(spk_trim(spk, " \t a b\r\n"), "a b");
	ck_assert_str_eq(spk_trim(spk, " \n "), "");
	ck_assert_str_eq(spk_lower(spk, "ABZ\xc3\x84[@"), "abz\xc3\x84[@");
	ck_assert_str_eq(spk_upper(spk, "abz\xc3\xa4{`"), "ABZ\xc3\xa4{`");
	ck_assert_str_eq(spk_replace(spk, "aaa", "a", "bb"), "bbbbbb");
	ck_assert_str_eq(spk_replace(spk, "xaay", "aa", ""), "xy");
	ck_assert_str_eq(spk_replace(spk, "", "a", "b"), "");
	ck_assert_str_eq(spk_before(spk, "db1.example.org", "."), "db1");
	ck_assert_str_eq(spk_before(spk, "db1", "."), "db1");
	ck_assert_str_eq(spk_after(spk, "a=b=c", "="), "b=c");
	ck_assert_str_eq(spk_after(spk, "a=", "="), "");
	ck_assert_ptr_null(spk_after(spk, "a", "="));
}
END_TEST

START_TEST(splits_and_joins)
{
	assert_list(spk_split(spk, "a,,b", ","), 3, "a||b");
	assert_list(spk_split(spk, "", ","), 1, "");
	assert_list(spk_split(spk, "a::b:", "::"), 2, "a|b:");
	assert_list(spk_words(spk, "  a \t b\n"), 2, "a|b");
	assert_list(spk_words(spk, "  "), 0, "");
	assert_list(spk_lines(spk, "a\r\nb\n\nc"), 4, "a|b||c");
	assert_list(spk_lines(spk, "a\n"), 1, "a");
	assert_list(spk_lines(spk, "a\r"), 1, "a\r");
	assert_list(spk_lines(spk, "\n"), 1, "");
	assert_list(spk_lines(spk, ""), 0, "");
	assert_list(spk_sorted(spk, SPK_STRINGS("b", "\xc3\xa4", "B", "a")), 4, "B|a|b|\xc3\xa4");
	assert_list(spk_sorted(spk, (spk_strings){0}), 0, "");
	ck_assert(spk_includes(SPK_STRINGS("a", "b"), "b"));
	ck_assert(!spk_includes(SPK_STRINGS("a", "b"), "c"));
}
END_TEST

START_TEST(appends)
{
	spk_strings list = {0}, other;

	for (int i = 0; i < 1000; i++)
		spk_append(spk, &list, spk_format(spk, "%d", i));
	ck_assert_uint_eq(list.count, 1000);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(spk_to_int(spk, list.items[i]), i);
	list = (spk_strings){0};
	spk_append(spk, &list, "a");
	other = list;
	spk_append(spk, &list, "b");
	spk_append(spk, &other, "c");
	assert_list(list, 2, "a|b");
	assert_list(other, 2, "a|c");
	SDK_RAISES("misuse", spk_append(spk, &list, NULL));
	list.count = 100;
	SDK_RAISES("misuse", spk_append(spk, &list, "x"));
}
END_TEST

static void refuse_int(const char *text)
{
	SDK_RAISES("text", spk_to_int(spk, text));
}

static void refuse_double(const char *text)
{
	SDK_RAISES("text", spk_to_double(spk, text));
}

START_TEST(reads_numbers)
{
	static const char *const wrong_ints[] = {"",     " ",   "x",   "1x", "1 2",
						 "0x10", "1.0", "--1", "1_0"};
	static const char *const wrong_doubles[] = {"",      "inf", "nan", "0x1p3", "1e",
						    "1.2.3", "-",   "1,5", "1 2"};

	ck_assert_int_eq(spk_to_int(spk, " -42\n"), -42);
	ck_assert_int_eq(spk_to_int(spk, "+9223372036854775807"), INT64_MAX);
	for (size_t i = 0; i < sizeof(wrong_ints) / sizeof(wrong_ints[0]); i++)
		refuse_int(wrong_ints[i]);
	SDK_RAISES("text", spk_to_int(spk, "9223372036854775808"));
	ck_assert(strstr(sdk_message(), "'9223372036854775808'"));
	ck_assert_double_eq(spk_to_double(spk, " 1.5e3 "), 1500);
	ck_assert_double_eq(spk_to_double(spk, "-.5"), -.5);
	for (size_t i = 0; i < sizeof(wrong_doubles) / sizeof(wrong_doubles[0]); i++)
		refuse_double(wrong_doubles[i]);
	SDK_RAISES("text", spk_to_double(spk, "1e999"));
}
END_TEST

START_TEST(refuses_null)
{
	SDK_RAISES("misuse", spk_trim(spk, NULL));
	ck_assert(strstr(sdk_message(), "spk_trim"));
	SDK_RAISES("misuse", spk_has_prefix("a", NULL));
	SDK_RAISES("misuse", spk_split(spk, "a", ""));
	SDK_RAISES("misuse", spk_replace(spk, "a", "", "b"));
	SDK_RAISES("misuse", spk_join(spk, ",", SPK_STRINGS("a", NULL)));
	SDK_RAISES("misuse", spk_shell_quote(spk, NULL));
	SDK_RAISES("misuse", spk_shell_format(spk, NULL));
}
END_TEST

START_TEST(quotes)
{
	ck_assert_str_eq(spk_shell_quote(spk, "/etc/a-b_c.d,e:f@g%h+i"), "/etc/a-b_c.d,e:f@g%h+i");
	ck_assert_str_eq(spk_shell_quote(spk, ""), "''");
	ck_assert_str_eq(spk_shell_quote(spk, "a b"), "'a b'");
	ck_assert_str_eq(spk_shell_quote(spk, "it's"), "'it'\\''s'");
	ck_assert_str_eq(spk_shell_quote(spk, "--level=3"), "--level=3");
	ck_assert_str_eq(spk_shell_quote(spk, "PATH=x"), "'PATH=x'");
	ck_assert_str_eq(spk_shell_quote(spk, "PATH+=x"), "'PATH+=x'");
	ck_assert_str_eq(spk_shell_quote(spk, "done"), "'done'");
	ck_assert_str_eq(spk_shell_quote(spk, "~"), "'~'");
	ck_assert_str_eq(spk_shell_join(spk, SPK_STRINGS("ls", "-l", "a b", "")), "ls -l 'a b' ''");
	ck_assert_str_eq(spk_shell_join(spk, (spk_strings){0}), "");
}
END_TEST

START_TEST(formats_for_the_shell)
{
	const char *evil = "a; rm -rf /";

	ck_assert_str_eq(spk_shell_format(spk, "rm -f -- %s", "x y"), "rm -f -- 'x y'");
	ck_assert_str_eq(spk_shell_format(spk, "%s%%", evil), "'a; rm -rf /'%");
	ck_assert_str_eq(spk_shell_format(spk, "%.*s|%.2s|%.0s", 4, evil, evil, evil),
			 "'a; r'|'a;'|''");
	ck_assert_str_eq(spk_shell_format(spk, "%8s|%-8s|%*s|%*s", "a b", "a b", 7, "x", -3, "y"),
			 "   'a b'|'a b'   |      x|y  ");
	ck_assert_str_eq(spk_shell_format(spk, "%.*s", -1, "a b"), "'a b'");
	ck_assert_str_eq(spk_shell_format(spk, "%d %5.3f %c %-4ld| %zu %#llx %hhu %jd %td %05d %+i",
					  -1, 1.5, 'x', 12L, (size_t)3, 255ULL, (unsigned char)7,
					  (intmax_t)-8, (ptrdiff_t)9, 42, 3),
			 "-1 1.500 x 12  | 3 0xff 7 -8 9 00042 +3");
	ck_assert_str_eq(spk_shell_format(spk, "%.*f %Lg %*d %.3d %s %s", 2, 3.14159,
					  (long double)0.5, 4, 7, 5, "p'q", "z"),
			 "3.14 0.5    7 005 'p'\\''q' z");
	ck_assert_str_eq(spk_shell_format(spk, "nothing"), "nothing");
	SDK_RAISES("misuse", unchecked(spk, "%s", (const char *)NULL));
}
END_TEST

START_TEST(refuses_formats)
{
	int count = 0;

	SDK_RAISES("misuse", unchecked(spk, "%n", &count));
	SDK_RAISES("misuse", unchecked(spk, "%ls", L"a"));
	SDK_RAISES("misuse", unchecked(spk, "%S", L"a"));
	SDK_RAISES("misuse", unchecked(spk, "%lc", L'a'));
	SDK_RAISES("misuse", unchecked(spk, "%1$s", "a"));
	SDK_RAISES("misuse", unchecked(spk, "%*1$d", 1));
	SDK_RAISES("misuse", unchecked(spk, "%"));
	SDK_RAISES("misuse", unchecked(spk, "%5"));
	SDK_RAISES("misuse", unchecked(spk, "%y", 1));
	SDK_RAISES("misuse", unchecked(spk, "%hhhd", 1));
	SDK_RAISES("misuse", unchecked(spk, "%99999999999d", 1));
	SDK_RAISES("misuse", unchecked(spk, "%1000000d", 1));
}
END_TEST
START_TEST(splits_as_a_shell)
{
	assert_list(spk_shell_split(spk, " a  b\tc\n"), 3, "a|b|c");
	assert_list(spk_shell_split(spk, "'a b' \"c d\"e f\\ g ''"), 4, "a b|c de|f g|");
	assert_list(spk_shell_split(spk, "\"a\\\"b\\$c\\d\" '\\'"), 2, "a\"b$c\\d|\\");
	assert_list(spk_shell_split(spk, "a\\\nb \\\n c"), 2, "ab|c");
	assert_list(spk_shell_split(spk, "\"a\\\nb\""), 1, "ab");
	assert_list(spk_shell_split(spk, "a\\"), 1, "a\\");
	assert_list(spk_shell_split(spk, ""), 0, "");
	assert_list(spk_shell_split(spk, "$HOME * #x"), 3, "$HOME|*|#x");
	SDK_RAISES("text", spk_shell_split(spk, "a 'b"));
	SDK_RAISES("text", spk_shell_split(spk, "\"b\\\""));
}
END_TEST

/* Any bytes but NUL, half of them from those that mean something to a shell. */
static char *random_text(unsigned int *seed)
{
	static const char special[] = "'\"\\$`!*?[]{}()<>|&;# \t\n~=%^-abAB01\x81\x82\x88\xff";
	size_t length = (size_t)rand_r(seed) % 24;
	char *text = spk_alloc(spk, length + 1);

	for (size_t i = 0; i < length; i++) {
		int number = rand_r(seed) >> 4;

		text[i] = number & 1 ? special[(number >> 1) % (int)(sizeof(special) - 1)]
				     : (char)((number >> 1) % 255 + 1);
	}
	return text;
}

static void run_shell(const char *script, const char *output)
{
	pid_t pid = fork();
	int status, fd;

	if (pid == 0) {
		fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		dup2(fd, STDOUT_FILENO);
		execl("/bin/sh", "sh", script, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

#define TEXTS 4000

START_TEST(a_shell_reads_what_was_quoted)
{
	static char *texts[TEXTS];
	char script[] = "/tmp/spicerack-test-XXXXXX", output[64], got[256];
	int fd = mkstemp(script);
	FILE *file = fdopen(fd, "w");
	unsigned int seed = 1;

	ck_assert_ptr_nonnull(file);
	snprintf(output, sizeof(output), "%s.out", script);
	for (size_t i = 0; i < TEXTS; i++) {
		texts[i] = random_text(&seed);
		fputs(spk_shell_format(spk, "printf '%%s\\0' -%s %s\n", texts[i], texts[i]), file);
		assert_list(spk_shell_split(spk, spk_shell_quote(spk, texts[i])), 1, texts[i]);
	}
	fclose(file);
	run_shell(script, output);
	file = fopen(output, "r");
	ck_assert_ptr_nonnull(file);
	for (size_t i = 0; i < 2 * TEXTS; i++) {
		size_t length = 0;
		int c;

		while ((c = fgetc(file)) > 0)
			got[length++] = (char)c;
		got[length] = '\0';
		ck_assert_int_eq(c, 0);
		ck_assert_str_eq(i % 2 ? got : spk_strip_prefix(spk, got, "-"), texts[i / 2]);
	}
	ck_assert_int_eq(fgetc(file), EOF);
	fclose(file);
	unlink(output);
	unlink(script);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, formats);
	tcase_add_test(tcase, compares_and_strips);
	tcase_add_test(tcase, splits_and_joins);
	tcase_add_test(tcase, appends);
	tcase_add_test(tcase, reads_numbers);
	tcase_add_test(tcase, refuses_null);
	tcase_add_test(tcase, quotes);
	tcase_add_test(tcase, formats_for_the_shell);
	tcase_add_test(tcase, refuses_formats);
	tcase_add_test(tcase, splits_as_a_shell);
	tcase_add_test(tcase, a_shell_reads_what_was_quoted);
	tcase_add_checked_fixture(tcase, NULL, sdk_end);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
