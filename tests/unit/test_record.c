/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/log/record.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct record_style style = {.user = "jdoe", .pid = 4860};
static const struct record_style dry_style = {.user = "jdoe", .pid = 4860, .dry_run = true};

static struct log_record record_of(enum spk_level level, const char *message)
{
	return (struct log_record){
		/* 2026-11-22 15:39:13 UTC */
		.time = {.tv_sec = 1795361953, .tv_nsec = 70999999},
		.level = level,
		.module = "core/modules/remote.c",
		.line = 42,
		.function = "run_one",
		.message = message,
	};
}

static void renders(const struct log_record *record, const struct record_style *with,
		    const char *plain, const char *extended)
{
	struct buf out = {0}, more = {0};

	setenv("TZ", "UTC", 1);
	tzset();
	record_render_files(record, with, &out, &more);
	ck_assert_str_eq(out.text, plain);
	ck_assert_str_eq(more.text, extended);
	buf_free(&out);
	buf_free(&more);
}

START_TEST(formats_of_the_files)
{
	struct log_record record = record_of(SPK_INFO, "hello");

	renders(&record, &style, "2026-11-22 15:39:13,070 jdoe 4860 [INFO] hello\n",
		"2026-11-22 15:39:13,070 jdoe 4860 [INFO remote:42 in run_one] hello\n");
	record.level = SPK_ERROR;
	record.module = ".c";
	renders(&record, &dry_style, "2026-11-22 15:39:13,070 DRY-RUN jdoe 4860 [ERROR] hello\n",
		"2026-11-22 15:39:13,070 DRY-RUN jdoe 4860 [ERROR .c:42 in run_one] hello\n");
}
END_TEST

START_TEST(nobody_forges_a_record)
{
	struct log_record record = record_of(SPK_WARNING,
					     "a\n2026-11-22 15:39:13,070 root 1 [INFO] b\n");

	record.module = "x\ny.c";
	record.function = NULL;
	renders(&record, &style,
		"2026-11-22 15:39:13,070 jdoe 4860 [WARNING] a\n"
		"    2026-11-22 15:39:13,070 root 1 [INFO] b\n",
		"2026-11-22 15:39:13,070 jdoe 4860 [WARNING x\\x0ay:42 in -] a\n"
		"    2026-11-22 15:39:13,070 root 1 [INFO] b\n");
}
END_TEST

START_TEST(levels_have_names)
{
	ck_assert_str_eq(record_level_name(SPK_DEBUG), "DEBUG");
	ck_assert_str_eq(record_level_name((enum spk_level)0), "DEBUG");
	ck_assert_str_eq(record_level_name(SPK_INFO), "INFO");
	ck_assert_str_eq(record_level_name((enum spk_level)35), "WARNING");
	ck_assert_str_eq(record_level_name((enum spk_level)99), "ERROR");
}
END_TEST

static const struct {
	const char *text, *clean;
} foreign[] = {
	{"", ""},
	{"plain ~ text", "plain ~ text"},
	{"tab\tkept", "tab\tkept"},
	{"cr\r\nnewline", "cr\\x0d|newline"},
	{"\x1b[2J\x7f\x01", "\\x1b[2J\\x7f\\x01"},
	{"umlaut \xc3\xa4 euro \xe2\x82\xac clef \xf0\x9d\x84\x9e",
	 "umlaut \xc3\xa4 euro \xe2\x82\xac clef \xf0\x9d\x84\x9e"},
	{"c1 \xc2\x9b"
	 "31m",
	 "c1 \\xc2\\x9b31m"},
	{"latin1 \xe4", "latin1 \\xe4"},
	{"cut \xe2\x82", "cut \\xe2\\x82"},
	{"cut \xe2\x82\n", "cut \\xe2\\x82|"},
	{"overlong \xc0\x8a", "overlong \\xc0\\x8a"},
	{"surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80"},
	{"beyond \xf4\x90\x80\x80", "beyond \\xf4\\x90\\x80\\x80"},
};

START_TEST(foreign_text)
{
	struct buf out = {0};

	record_sanitize(foreign[_i].text, strlen(foreign[_i].text), "|", &out);
	ck_assert_str_eq(buf_text(&out), foreign[_i].clean);
	buf_free(&out);
}
END_TEST

START_TEST(terminal_form)
{
	struct log_record record = record_of(SPK_DEBUG, "one\ntwo\x1b\n\n");
	struct buf out = {0};

	record_render_terminal(&record, true, &out);
	ck_assert_str_eq(out.text, "DRY-RUN: one\ntwo\\x1b\n");
	buf_clear(&out);
	record.message = NULL;
	record_render_terminal(&record, false, &out);
	ck_assert_str_eq(buf_text(&out), "");
	buf_free(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record");
	TCase *tcase = tcase_create("record");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, formats_of_the_files);
	tcase_add_test(tcase, nobody_forges_a_record);
	tcase_add_test(tcase, levels_have_names);
	tcase_add_loop_test(tcase, foreign_text, 0, (int)(sizeof(foreign) / sizeof(foreign[0])));
	tcase_add_test(tcase, terminal_form);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
