/* SPDX-License-Identifier: Apache-2.0 */
/* How many hosts a share is, and who gets a place when. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "../../core/modules/remoteoutput.h"
#include "../../core/modules/remoteplan.h"

START_TEST(a_batch_is_rounded_up)
{
	ck_assert_uint_eq(plan_batch(SPK_PERCENT(10), 4), 1);
	ck_assert_uint_eq(plan_batch(SPK_PERCENT(0), 4), 1);
	ck_assert_uint_eq(plan_batch(SPK_PERCENT(26), 4), 2);
	ck_assert_uint_eq(plan_batch(SPK_PERCENT(25), 4), 1);
	ck_assert_uint_eq(plan_batch(SPK_PERCENT(100), 4), 4);
	ck_assert_uint_eq(plan_batch(SPK_PERCENT(66.6), 1000), 666);
	ck_assert_uint_eq(plan_batch(SPK_HOSTS(9), 4), 4);
	ck_assert_uint_eq(plan_batch(SPK_HOSTS(3), 4), 3);
	ck_assert_uint_eq(plan_batch((spk_share){0}, 4), 4);
}
END_TEST

START_TEST(a_threshold_is_the_least_that_is_enough)
{
	ck_assert_uint_eq(plan_needed((spk_share){0}, 4), 4);
	ck_assert_uint_eq(plan_needed(SPK_PERCENT(75), 4), 3);
	ck_assert_uint_eq(plan_needed(SPK_PERCENT(75.1), 4), 4);
	ck_assert_uint_eq(plan_needed(SPK_PERCENT(0), 4), 0);
	ck_assert_uint_eq(plan_needed(SPK_HOSTS(2), 4), 2);
	for (size_t hosts = 1; hosts <= 300; hosts++)
		for (size_t part = 0; part <= hosts; part++)
			ck_assert_uint_eq(
				plan_needed(SPK_PERCENT(plan_percent(part, hosts)), hosts), part);
}
END_TEST

START_TEST(shares_that_cannot_be_are_refused)
{
	ck_assert(plan_share_is_valid((spk_share){0}, 1));
	ck_assert(!plan_share_is_valid(SPK_HOSTS(0), 1));
	ck_assert(plan_share_is_valid(SPK_HOSTS(0), 0));
	ck_assert(!plan_share_is_valid(SPK_HOSTS(-1), 0));
	ck_assert(!plan_share_is_valid(SPK_PERCENT(100.5), 0));
	ck_assert(!plan_share_is_valid(SPK_PERCENT(NAN), 0));
	ck_assert(!plan_share_is_valid(SPK_HOSTS(INFINITY), 1));
	ck_assert(!plan_share_is_valid((spk_share){.kind = 3, .value = 1}, 0));
}
END_TEST

START_TEST(a_place_that_was_left_rests)
{
	struct plan_window window;

	plan_window_open(&window, 2, 100);
	ck_assert(plan_window_take(&window, 0));
	ck_assert(plan_window_take(&window, 0));
	ck_assert(!plan_window_take(&window, 0));
	ck_assert_int_eq(plan_window_ready(&window), INT64_MAX);
	plan_window_leave(&window, 10);
	plan_window_leave(&window, 20);
	ck_assert_int_eq(plan_window_ready(&window), 110);
	ck_assert(!plan_window_take(&window, 109));
	ck_assert(plan_window_take(&window, 110));
	ck_assert(!plan_window_take(&window, 119));
	plan_window_leave(&window, 119);
	ck_assert(plan_window_take(&window, 120));
	ck_assert(!plan_window_take(&window, 218));
	ck_assert(plan_window_take(&window, 219));
	plan_window_close(&window);
}
END_TEST

START_TEST(a_stream_is_cut_and_the_same_is_kept_once)
{
	struct capture one = {{0}, 0}, two = {{0}, 0};
	struct blobs blobs;
	struct blob *first;

	blobs_init(&blobs);
	capture_add(&one, &blobs, "abc", 3, 5);
	capture_add(&one, &blobs, "def", 3, 5);
	capture_add(&one, &blobs, "", 0, 5);
	capture_add(&one, &blobs, "g", 1, 50); /* there is no gap in what is kept */
	capture_add(&two, &blobs, "abcde", 5, 5);
	ck_assert_uint_eq(blobs.left, OUTPUT_ALL_MAX - 10);
	ck_assert_uint_eq(one.total, 7);
	first = capture_end(&one, &blobs);
	ck_assert_ptr_nonnull(first);
	ck_assert_uint_eq(first->length, 5);
	ck_assert_ptr_eq(capture_end(&two, &blobs), first);
	ck_assert_uint_eq(blobs.left, OUTPUT_ALL_MAX - 5);
	ck_assert_ptr_null(capture_end(&two, &blobs));
	capture_free(&one);
	capture_free(&two);
	blobs_free(&blobs);
}
END_TEST

START_TEST(lines_are_fit_for_a_terminal)
{
	struct lines lines = {{0}};
	struct buf out = {0};

	lines_add(&lines, "a\tb\r\n\033[2J", 9, false, &out);
	ck_assert_str_eq(buf_text(&out), "a\tb\n");
	lines_add(&lines, "\nx", 2, true, &out);
	ck_assert_str_eq(buf_text(&out), "a\tb\n\\x1b[2J\nx\n");
	buf_clear(&out);
	for (int i = 0; i < 20000; i++)
		lines_add(&lines, "y", 1, false, &out);
	ck_assert_uint_gt(out.length, 16000);
	lines_free(&lines);
	buf_free(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("remoteplan");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, a_batch_is_rounded_up);
	tcase_add_test(tests, a_threshold_is_the_least_that_is_enough);
	tcase_add_test(tests, shares_that_cannot_be_are_refused);
	tcase_add_test(tests, a_place_that_was_left_rests);
	tcase_add_test(tests, a_stream_is_cut_and_the_same_is_kept_once);
	tcase_add_test(tests, lines_are_fit_for_a_terminal);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
