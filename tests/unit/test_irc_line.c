/* SPDX-License-Identifier: Apache-2.0 */
#include "../../plugins/irc/line.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const good[] = {
	"PING :x",
	"PING x",
	":irc.test PONG irc.test :1",
	":irc.test 001 nick :Welcome",
	":irc.test 433 * nick :in use",
	"001 x",
	":n!u@h JOIN #c",
	":n!u@h JOIN :#c",
	":n!u@h KICK #c other :out",
	":n!u@h KICK #c :other",
	":n!u@h PART #c",
	":n!u@h NICK :new",
	"ERROR :Closing link",
	":a 404 b \xff\xfe",
};

/* Each would crash the library, be answered by it, or is of no use to us. */
static const char *const bad[] = {
	"",
	" ",
	":",
	": ",
	":x",
	":x ",
	": PING x",
	"PING",
	"PING ",
	"PING  x",
	"  PING x",
	":x  PING y",
	"PINGS x",
	"ping x",
	"001",
	"001 ",
	":x 001",
	"0a1 x",
	"01 x",
	"0001 x",
	"NOTICE",
	"NOTICE x",
	":x NOTICE y :z",
	":x PRIVMSG y :\x01VERSION\x01",
	":x MODE y",
	"JOIN #c",
	"NICK x",
	"PART #c",
	"KICK #c x",
	":n!u@h KICK #c",
	":n!u@h KICK :#c x",
	":n!u@h JOIN",
	"ERROR",
	"PING x\rQUIT",
	"PING x\nQUIT",
	"\xff\xfe x",
};

START_TEST(passes_what_the_library_can_read)
{
	ck_assert_msg(line_is_good(good[_i], strlen(good[_i])), "%s", good[_i]);
}
END_TEST

START_TEST(drops_all_else)
{
	ck_assert_msg(!line_is_good(bad[_i], strlen(bad[_i])), "%s", bad[_i]);
}
END_TEST

START_TEST(drops_what_is_too_long_or_holds_a_nul)
{
	char line[LINE_MAX_LENGTH + 2] = "PING ";

	memset(line + 5, 'x', sizeof(line) - 5);
	ck_assert(line_is_good(line, LINE_MAX_LENGTH));
	ck_assert(!line_is_good(line, LINE_MAX_LENGTH + 1));
	ck_assert(!line_is_good("PING a\0b", 8));
}
END_TEST

/* Whatever the text and the limit: nothing is lost, no line too long, no character cut. */
static void check_fill(const char *text, size_t limit)
{
	size_t total = 0;

	while (text[total]) {
		size_t length = line_fill(text + total, limit);

		ck_assert_uint_gt(length, 0);
		ck_assert_uint_le(length, limit);
		ck_assert_int_ne((unsigned char)text[total + length] & 0xc0, 0x80);
		total += length;
	}
	ck_assert_uint_eq(total, strlen(text));
}

START_TEST(fills_lines)
{
	char text[400] = "";

	for (int i = 0; i < 60; i++)
		strncat(text, i % 7 == 3 ? "\xe2\x82\xac\xf0\x9f\x98\x80" : "word ",
			sizeof(text) - strlen(text) - 1);
	for (size_t limit = 16; limit < 60; limit++)
		check_fill(text, limit);
	ck_assert_uint_eq(line_fill("short", 16), 5);
	ck_assert_uint_eq(line_fill("0123456789 1234567", 16), 10);
	ck_assert_uint_eq(line_fill("01234567890123456789", 16), 16);
	ck_assert_uint_eq(line_fill("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
				    "\xe2\x82\xac",
				    16),
			  15);
}
END_TEST

/* Bytes that are no text go on all the same. */
START_TEST(ends_with_bytes_that_are_no_text)
{
	char text[64];

	memset(text, 0x80, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_uint_eq(line_fill(text, 16), 16);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("irc line");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, passes_what_the_library_can_read, 0,
			    (int)(sizeof(good) / sizeof(good[0])));
	tcase_add_loop_test(tests, drops_all_else, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tests, drops_what_is_too_long_or_holds_a_nul);
	tcase_add_test(tests, fills_lines);
	tcase_add_test(tests, ends_with_bytes_that_are_no_text);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
