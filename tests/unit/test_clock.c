/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/clock.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sdk_stub.h"

#define spk (sdk_session())

START_TEST(tells_the_time)
{
	spk_duration before = spk_uptime();

	ck_assert_int_le(llabs(spk_now().ns / 1000000000 - (long long)time(NULL)), 1);
	ck_assert_int_ge(spk_uptime().ns, before.ns);
	setenv("TZ", "Pacific/Kiritimati", 1);
	tzset();
	ck_assert_int_le(llabs(spk_today().days - (long long)((time(NULL) + 14 * 3600) / 86400)),
			 1);
}
END_TEST

START_TEST(reckons_within_bounds)
{
	const spk_time first = {INT64_MIN}, last = {INT64_MAX};

	ck_assert_int_eq(spk_time_between((spk_time){5}, (spk_time){3}).ns, -2);
	ck_assert_int_eq(spk_time_between(first, last).ns, INT64_MAX);
	ck_assert_int_eq(spk_time_between(last, first).ns, INT64_MIN);
	ck_assert_int_eq(spk_time_add(last, SPK_SECONDS(1)).ns, INT64_MAX);
	ck_assert_int_eq(spk_time_add(first, SPK_SECONDS(-1)).ns, INT64_MIN);
	ck_assert_int_eq(spk_time_add((spk_time){1}, SPK_NANOSECONDS(2)).ns, 3);
	ck_assert_double_eq(spk_duration_seconds(SPK_MILLISECONDS(-1500)), -1.5);
}
END_TEST

START_TEST(writes_instants)
{
	const spk_time then = {INT64_C(1795361953) * 1000000000};

	ck_assert_str_eq(spk_time_text(spk, then), "2026-11-22T15:39:13Z");
	ck_assert_str_eq(spk_time_text(spk, (spk_time){then.ns + 1500}),
			 "2026-11-22T15:39:13.000001Z");
	ck_assert_str_eq(spk_time_text(spk, (spk_time){then.ns + 999}), "2026-11-22T15:39:13Z");
	ck_assert_str_eq(spk_time_text(spk, (spk_time){-1000}), "1969-12-31T23:59:59.999999Z");
	/* The ends that spk_time_add() keeps to. */
	ck_assert_str_eq(spk_time_text(spk, (spk_time){INT64_MIN}), "1677-09-21T00:12:43.145224Z");
	ck_assert_str_eq(spk_time_text(spk, (spk_time){INT64_MAX}), "2262-04-11T23:47:16.854775Z");
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	ck_assert_str_eq(spk_time_format(spk, "%d.%m.%y %H:%M %Z %s %%s", then),
			 "22.11.26 15:39 UTC 1795361953 %s");
	ck_assert_str_eq(spk_time_format(spk, "", then), "");
	SDK_RAISES("misuse", spk_time_format(spk, NULL, then));
}
END_TEST

START_TEST(writes_days)
{
	static const int64_t days[] = {-719528, -1, 0, 58, 59, 11015, 11016, 20779, 2932896};

	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		time_t seconds = (time_t)(days[i] * 86400);
		char expected[32];
		struct tm utc;

		gmtime_r(&seconds, &utc);
		strftime(expected, sizeof(expected), "-%m-%d", &utc);
		ck_assert_str_eq(spk_date_text(spk, (spk_date){days[i]}),
				 spk_format(spk, "%04d%s", utc.tm_year + 1900, expected));
	}
	ck_assert_ptr_nonnull(spk_date_text(spk, (spk_date){INT64_MAX}));
	ck_assert_ptr_nonnull(spk_date_text(spk, (spk_date){INT64_MIN}));
}
END_TEST

START_TEST(writes_durations)
{
	ck_assert_str_eq(spk_duration_text(spk, SPK_MINUTES(90)), "1h30m");
	ck_assert_str_eq(spk_duration_text(spk, SPK_SECONDS(2.5)), "2.5s");
	ck_assert_str_eq(spk_duration_text(spk, SPK_DAYS(7)), "7d");
	ck_assert_str_eq(spk_duration_text(spk, SPK_SECONDS(0)), "0s");
	ck_assert_str_eq(spk_duration_text(spk, SPK_NANOSECONDS(1)), "0.000000001s");
	ck_assert_str_eq(spk_duration_text(spk, SPK_SECONDS(-90)), "-1m30s");
	ck_assert_str_eq(spk_duration_text(spk, (spk_duration){INT64_MIN}),
			 "-106751d23h47m16.854775808s");
}
END_TEST

START_TEST(reads_what_it_writes)
{
	static const int64_t some[] = {0,
				       1,
				       999999999,
				       1000000000,
				       59 * INT64_C(1000000000),
				       3661500000000,
				       86400 * INT64_C(1000000000),
				       90061123456789,
				       INT64_MAX};

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		const char *text = spk_duration_text(spk, (spk_duration){some[i]});

		ck_assert_int_eq(spk_duration_parse(spk, text).ns, some[i]);
	}
	ck_assert_str_eq(spk_time_text(spk, spk_time_parse(spk, "2026-11-22T15:39:13Z")),
			 "2026-11-22T15:39:13Z");
	ck_assert_str_eq(spk_date_text(spk, spk_date_parse(spk, "2024-02-29")), "2024-02-29");
	SDK_RAISES("text", spk_duration_parse(spk, "soon"));
	ck_assert(strstr(sdk_message(), "'soon'"));
	SDK_RAISES("text", spk_time_parse(spk, "soon"));
	SDK_RAISES("text", spk_date_parse(spk, "soon"));
	SDK_RAISES("misuse", spk_date_parse(spk, NULL));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clock");
	TCase *tcase = tcase_create("clock");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, tells_the_time);
	tcase_add_test(tcase, reckons_within_bounds);
	tcase_add_test(tcase, writes_instants);
	tcase_add_test(tcase, writes_days);
	tcase_add_test(tcase, writes_durations);
	tcase_add_test(tcase, reads_what_it_writes);
	tcase_add_checked_fixture(tcase, NULL, sdk_end);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
