/* SPDX-License-Identifier: Apache-2.0 */
/* How far a cookbook is, as one line. */
#include "../../core/host/log/progress.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/output.h>

#include "../../core/runtime/textwidth.h"

#define SECOND 1000000000LL

static const char *line(struct progress_item item, size_t columns, int64_t took_ns)
{
	static struct buf out;

	buf_clear(&out);
	item.began_ns = SECOND;
	progress_render(&item, columns, SECOND + took_ns, &out);
	ck_assert_uint_le(textwidth_of(buf_text(&out), out.length), columns);
	return buf_text(&out);
}

static struct progress_item item_of(uint64_t kind, uint64_t done, uint64_t total, const char *label)
{
	struct progress progress = {0};

	progress_take(&progress,
		      &(struct progress_item){.id = 1, .kind = kind, .done = done, .total = total},
		      label);
	ck_assert_uint_eq(progress.count, 1);
	return progress.items[0];
}

START_TEST(kinds)
{
	ck_assert_str_eq(line(item_of(SPK_BAR, 2, 5, "rebooting"), 52, 72 * SECOND),
			 "rebooting [##########................]  40% 2/5 1:12");
	ck_assert_str_eq(line(item_of(SPK_COUNTER, 2, 5, "rebooting"), 40, 72 * SECOND),
			 "rebooting 2/5 1:12");
	ck_assert_str_eq(line(item_of(SPK_COUNTER, 7, 0, "rebooting"), 40, 3725 * SECOND),
			 "rebooting 7 1:02:05");
	ck_assert_str_eq(line(item_of(SPK_SPINNER, 0, 0, "waiting"), 40, 0), "waiting | 0:00");
	ck_assert_str_eq(line(item_of(SPK_SPINNER, 0, 0, "waiting"), 40, SECOND / 10),
			 "waiting / 0:00");
}
END_TEST

/* The figures stay as long as anything does; the label gives way, in whole characters. */
START_TEST(narrow)
{
	struct progress_item bar = item_of(SPK_BAR, 2, 5, "日本日本日本");

	ck_assert_str_eq(line(bar, 42, 0), "日本日本日本 [#####........]  40% 2/5 0:00");
	ck_assert_str_eq(line(bar, 20, 0), "日本日  40% 2/5 0:00");
	for (size_t columns = 0; columns < 100; columns++)
		line(bar, columns, 0);
}
END_TEST

START_TEST(figures_that_do_not_fit)
{
	ck_assert_ptr_nonnull(strstr(line(item_of(SPK_BAR, 9, 5, ""), 60, 0), "] 100% 9/5"));
	ck_assert_ptr_nonnull(
		strstr(line(item_of(SPK_BAR, UINT64_MAX, UINT64_MAX, ""), 80, 0), " 100% "));
	ck_assert_ptr_nonnull(strstr(line(item_of(SPK_BAR, UINT64_MAX - 1, UINT64_MAX, ""), 80, 0),
				     "18446744073709551614/"));
	/* A clock that was set back. */
	ck_assert_str_eq(line(item_of(SPK_COUNTER, 1, 2, "x"), 40, -5 * SECOND), "x 1/2 0:00");
}
END_TEST

START_TEST(labels)
{
	char label[1000];

	ck_assert_str_eq(item_of(SPK_BAR, 0, 1, "a\033[2J\n\xff").label, "a\\x1b[2J\\x0a\\xff");
	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	ck_assert_uint_lt(strlen(item_of(SPK_BAR, 0, 1, label).label),
			  sizeof(((struct progress_item *)0)->label));
	/* Not in the middle of a character. */
	for (size_t i = 0; i + 2 < sizeof(label); i += 2)
		memcpy(label + i, "ö", 2);
	label[sizeof(label) - 2] = '\0';
	ck_assert_uint_eq(strlen(item_of(SPK_BAR, 0, 1, label).label) % 2, 0);
}
END_TEST

START_TEST(several)
{
	struct progress progress = {0};

	for (uint64_t id = 1; id <= PROGRESS_MAX + 3; id++)
		progress_take(&progress, &(struct progress_item){.id = id, .kind = SPK_SPINNER},
			      "x");
	ck_assert_uint_eq(progress.count, PROGRESS_MAX);
	/* Of one that there is no room for, and of none. */
	progress_take(&progress, &(struct progress_item){.id = PROGRESS_MAX + 1}, "");
	progress_take(&progress, &(struct progress_item){.id = 1}, "");
	progress_take(&progress, &(struct progress_item){.id = 1}, "");
	ck_assert_uint_eq(progress.count, PROGRESS_MAX - 1);
	ck_assert_uint_eq(progress.items[0].id, 2);
	ck_assert_uint_eq(progress.items[PROGRESS_MAX - 2].id, PROGRESS_MAX);
	progress_take(&progress, &(struct progress_item){.id = 3, .kind = SPK_COUNTER, .done = 5},
		      "y");
	ck_assert_uint_eq(progress.count, PROGRESS_MAX - 1);
	ck_assert_uint_eq(progress.items[1].done, 5);
}
END_TEST

START_TEST(widths)
{
	ck_assert_uint_eq(textwidth_of("abc", 3), 3);
	ck_assert_uint_eq(textwidth_of("日本", 6), 4);
	ck_assert_uint_eq(textwidth_of("e\xcc\x81", 3), 1);
	ck_assert_uint_eq(textwidth_of("\xff\xfe", 2), 2);
	ck_assert_uint_eq(textwidth_of("", 0), 0);
	ck_assert_uint_eq(textwidth_fit("日本", 6, 3), 3);
	ck_assert_uint_eq(textwidth_fit("日本", 6, 4), 6);
	ck_assert_uint_eq(textwidth_fit("abc", 3, 0), 0);
	/* The combining mark belongs to what is before it. */
	ck_assert_uint_eq(textwidth_fit("e\xcc\x81x", 4, 1), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("progress");
	TCase *tcase = tcase_create("progress");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, kinds);
	tcase_add_test(tcase, narrow);
	tcase_add_test(tcase, figures_that_do_not_fit);
	tcase_add_test(tcase, labels);
	tcase_add_test(tcase, several);
	tcase_add_test(tcase, widths);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
