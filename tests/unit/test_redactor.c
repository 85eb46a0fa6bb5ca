/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/log/redactor.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct redactor *redactor;
static struct redactor_stream stream;
static struct buf out;
static struct err err;

static void set_up(void)
{
	redactor = redactor_new();
	stream = (struct redactor_stream){0};
}

static void tear_down(void)
{
	redactor_free(redactor);
	buf_free(&out);
}

static void add(const char *text)
{
	ck_assert_int_eq(redactor_add(redactor, text, &err), 0);
}

/* What a record becomes, of the stream or of none. */
static const char *record(struct redactor_stream *of, const char *text)
{
	buf_clear(&out);
	redactor_apply(redactor, of, text, &out);
	return buf_text(&out);
}

#define ALONE(text, expected) ck_assert_str_eq(record(NULL, text), expected)
#define NEXT(text, expected) ck_assert_str_eq(record(&stream, text), expected)

START_TEST(nothing_to_hide)
{
	ck_assert(redactor_is_empty(redactor));
	ALONE("a record\n", "a record\n");
	ck_assert_int_lt(redactor_add(redactor, "abc", &err), 0);
	ck_assert(redactor_is_empty(redactor));
}
END_TEST

START_TEST(every_occurrence)
{
	add("hunter2");
	ALONE("hunter2", "********");
	ALONE("a hunter2, a hunter2\n", "a ********, a ********\n");
	ALONE("hunter2hunter2", "****************");
	ALONE("hunthunter2", "hunt********");
	ALONE("hunter 2", "hunter 2");
}
END_TEST

START_TEST(longest_first_and_overlaps_are_one)
{
	add("secret");
	add("secretive-one");
	add("one-two-three");
	add("etiv");
	ALONE("x secret y", "x ******** y");
	ALONE("x secretive-one y", "x ******** y");
	ALONE("x secretive-o! y", "x ********e-o! y");
	/* three of them, each over the next */
	ALONE("x secretive-one-two-three y", "x ******** y");
	ALONE("x retiv y", "x r******** y");
}
END_TEST

START_TEST(one_within_the_failed_beginning_of_another)
{
	add("abcdabcdabcX");
	add("dabcdabcY");
	add("bcda");
	ALONE("abcdabcdabcY.", "a********.");
	ALONE("abcdabcdabcX.", "********.");
	ALONE("-abcd-", "-abcd-");
}
END_TEST

START_TEST(encoded)
{
	add("p\"ss w\xc3\xb6rd'/+\n\x01~end");
	ALONE("p\"ss w\xc3\xb6rd'/+\n\x01~end!", "********!");
	/* base64 alone, and at each alignment within more */
	ALONE("<cCJzcyB3w7ZyZCcvKwoBfmVuZA==>", "<********>");
	ALONE("eHAic3Mgd8O2cmQnLysKAX5lbmR4>", "eH********R4>");
	ALONE("p%22ss%20w%C3%B6rd%27%2F%2B%0A%01~end!", "********!");
	ALONE("p%22ss%20w%c3%b6rd%27%2f%2b%0a%01~end!", "********!");
	ALONE("p%22ss+w%C3%B6rd%27%2F%2B%0A%01~end!", "********!");
	ALONE("p%22ss%20w%C3%B6rd%27/%2B%0A%01~end!", "********!");
	ALONE("{\"p\\\"ss w\xc3\xb6rd'/+\\n\\u0001~end\"}", "{\"********\"}");
	ALONE("{\"p\\\"ss w\\u00f6rd'/+\\n\\u0001~end\"}", "{\"********\"}");
	ALONE("{\"p\\\"ss w\\u00f6rd'\\/+\\n\\u0001~end\"}", "{\"********\"}");
	ALONE("'p\"ss w\xc3\xb6rd'\\''/+\n\x01~end'", "'********'");
	ALONE("'p\"ss w\xc3\xb6rd'\"'\"'/+\n\x01~end'", "'********'");
}
END_TEST

START_TEST(base64_at_every_alignment)
{
	add("correct horse");
	/* of "correct horse", "xcorrect horsey", "xxcorrect horseyy" */
	ALONE("Y29ycmVjdCBob3JzZQ==", "********");
	ALONE("eGNvcnJlY3QgaG9yc2V5", "eG********V5");
	ALONE("eHhjb3JyZWN0IGhvcnNleXk=", "eHh********eXk=");
}
END_TEST

START_TEST(lines_of_one)
{
	add("-----BEGIN KEY-----\nMIIBVQIBADANBgkq\nhkiG\n-----END KEY-----");
	ALONE("MIIBVQIBADANBgkq", "********");
	NEXT("x -----BEGIN KEY-----", "x ********");
	NEXT("MIIBVQIBADANBgkq\n", "********\n");
	NEXT("hkiG", "********");
	NEXT("-----END KEY----- y", "******** y");
}
END_TEST

START_TEST(split_over_records)
{
	add("correct horse battery");
	NEXT("the password is correct h", "the password is ********");
	NEXT("orse battery, he said", "********, he said");
	NEXT("correct", "********");
	NEXT(" horse ", "********");
	NEXT("", "");
	NEXT("battery!", "********!");
	/* too little to hide, but the rest is not */
	NEXT("cor", "cor");
	NEXT("rect horse battery", "********");
	/* over-redaction: it only looks like the beginning */
	NEXT("all is correct", "all is ********");
	NEXT("ly done", "ly done");
	/* another stream does not go on where this one ended */
	NEXT("correct horse", "********");
	ALONE(" battery", " battery");
}
END_TEST

START_TEST(half_of_a_short_one)
{
	add("x1y2");
	NEXT("is x1", "is ********");
	NEXT("y2 or x", "******** or x");
	NEXT("1y2", "********");
}
END_TEST

/* The data in pieces of a size, with a pause after each. */
static const char *data(const char *text, size_t length, size_t piece, bool pause)
{
	stream = (struct redactor_stream){0};
	buf_clear(&out);
	for (size_t at = 0; at < length; at += piece) {
		size_t left = length - at < piece ? length - at : piece;

		redactor_pass(redactor, &stream, text + at, left, &out);
		if (pause)
			redactor_pause(redactor, &stream, &out);
	}
	redactor_end(redactor, &stream, &out);
	return buf_text(&out);
}

START_TEST(data_in_pieces)
{
	static const char text[] =
		"a correct horse battery, correct horses, abc, abcd, xabcdef cor";
	static const char expected[] = "a ********, correct horses, abc, ********, x******** cor";

	add("correct horse battery");
	add("abcd");
	add("bcdef");
	for (size_t piece = 1; piece < sizeof(text); piece++)
		ck_assert_str_eq(data(text, sizeof(text) - 1, piece, false), expected);
}
END_TEST

START_TEST(data_with_pauses)
{
	add("correct horse battery");
	ck_assert_str_eq(data("cor|rect", 8, 3, true), "cor|rect");
	/* what was shown before the pause was less than half, the rest is hidden */
	ck_assert_str_eq(data("correct horse battery.", 22, 8, true), "correct ********.");
	ck_assert_str_eq(data("correct horse battery.", 22, 16, true), "********.");
	ck_assert_str_eq(data("correct horse battle.", 21, 16, true), "correct horse battle.");
	/* half of it at the end */
	ck_assert_str_eq(data("x correct horse b", 17, 17, false), "x ********");
	ck_assert_str_eq(data("x correct", 9, 9, false), "x correct");
}
END_TEST

START_TEST(binary_data_is_unchanged)
{
	char bytes[65536];
	unsigned int number = 1;

	add("correct horse battery");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		number = number * 1103515245U + 12345U;
		bytes[i] = (char)(number >> 16);
	}
	memcpy(bytes + 1000, "correct\0horse", 13);
	for (size_t piece = 1; piece < 20000; piece = piece * 3 + 1) {
		data(bytes, sizeof(bytes), piece, piece & 1);
		ck_assert_uint_eq(out.length, sizeof(bytes));
		ck_assert_mem_eq(out.text, bytes, sizeof(bytes));
	}
}
END_TEST

START_TEST(added_in_between)
{
	add("correct horse");
	NEXT("correct", "********");
	add("another one");
	NEXT(" horse", "********");
	add("correct horse");
	NEXT("correct horse, another one", "********, ********");
}
END_TEST

/*
 * By another way: every position of a small alphabet's text is covered or not, as a search for
 * each secret says. That is quadratic, and right.
 */
START_TEST(as_a_plain_search_says)
{
	unsigned int number = (unsigned int)_i + 1;
	char secrets[8][9], text[81];
	bool covered[81];

	for (size_t i = 0; i < 8; i++) {
		size_t length = 4 + i % 5;

		for (size_t j = 0; j < length; j++) {
			number = number * 1103515245U + 12345U;
			secrets[i][j] = "ab"[number >> 16 & 1];
		}
		secrets[i][length] = '\0';
		add(secrets[i]);
	}
	for (size_t i = 0; i < 80; i++) {
		number = number * 1103515245U + 12345U;
		text[i] = "abab."[(number >> 16) % 5];
	}
	text[79] = '.'; /* no tail */
	text[80] = '\0';
	memset(covered, 0, sizeof(covered));
	for (size_t i = 0; i < 8; i++)
		for (const char *at = text; (at = strstr(at, secrets[i])); at++)
			memset(covered + (at - text), 1, strlen(secrets[i]));
	record(NULL, text);
	for (size_t i = 0, at = 0; i < 80 || out.text[at]; at++) {
		if (i < 80 && covered[i]) {
			size_t stars = strspn(out.text + at, "*");

			/* Secrets that touch are marked apart. */
			ck_assert_uint_ge(stars, 8);
			ck_assert_uint_eq(stars % 8, 0);
			while (i < 80 && covered[i])
				i++;
			at += stars - 1;
		} else {
			ck_assert_int_eq(out.text[at], text[i++]);
		}
	}
	/* Data in pieces of any size come to the same. */
	for (size_t piece = 1; piece < 20; piece++) {
		char *whole = strdup(record(NULL, text));

		ck_assert_str_eq(data(text, 80, piece, false), whole);
		free(whole);
	}
}
END_TEST

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* 1,000 secrets and 1 MB that is nothing but their beginnings: quadratic would take minutes. */
START_TEST(many_secrets_and_much_text)
{
	const size_t size = 1000000;
	char *text = malloc(size + 1);
	double begin = seconds();

	ck_assert_ptr_nonnull(text);
	memset(text, 'a', size);
	text[size] = '\0';
	for (int i = 0; i < 1000; i++) {
		char secret[80];

		snprintf(secret, sizeof(secret), "%s%04d",
			 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", i);
		add(secret);
	}
	memcpy(text + size - 100, "0999.", 5);
	text[size - 1] = '.';
	record(NULL, text);
	ck_assert_uint_eq(out.length, size - 64 + 8);
	ck_assert_ptr_nonnull(strstr(buf_text(&out), "a********.aa"));
	data(text, size, 16384, false);
	ck_assert_uint_eq(out.length, size - 64 + 8);
	ck_assert(seconds() - begin < 10);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("redactor");
	TCase *tests = tcase_create("redactor");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, nothing_to_hide);
	tcase_add_test(tests, every_occurrence);
	tcase_add_test(tests, longest_first_and_overlaps_are_one);
	tcase_add_test(tests, one_within_the_failed_beginning_of_another);
	tcase_add_test(tests, encoded);
	tcase_add_test(tests, base64_at_every_alignment);
	tcase_add_test(tests, lines_of_one);
	tcase_add_test(tests, split_over_records);
	tcase_add_test(tests, half_of_a_short_one);
	tcase_add_test(tests, data_in_pieces);
	tcase_add_test(tests, data_with_pauses);
	tcase_add_test(tests, binary_data_is_unchanged);
	tcase_add_test(tests, added_in_between);
	tcase_add_loop_test(tests, as_a_plain_search_says, 0, 200);
	tcase_add_test(tests, many_secrets_and_much_text);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
