/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/runtime/argvalue.h"

#include <check.h>
#include <limits.h>
#include <stdlib.h>

#include "../../core/runtime/mem.h"

#define SECOND 1000000000LL

/* What a text must read as; `good` false: it must be refused. */
struct reading {
	const char *text;
	bool good;
	long long value;
};

static const struct reading integers[] = {
	{"0", true, 0},
	{" \t42\n", true, 42},
	{"-2147483648", true, INT_MIN},
	{"+7", true, 7},
	{"1_000", true, 1000},
	{"007", true, 7},
	{"2147483648", false, 0},
	{"99999999999999999999999", false, 0},
	{"", false, 0},
	{" ", false, 0},
	{"_1", false, 0},
	{"1_", false, 0},
	{"1__0", false, 0},
	{"0x10", false, 0},
	{"1.0", false, 0},
	{"- 1", false, 0},
	{"--1", false, 0},
};

START_TEST(reads_integers)
{
	const struct reading *c = &integers[_i];
	union argvalue value = {0};
	struct err err;

	ck_assert_int_eq(argvalue_read(SPK_TYPE_INT, c->text, &value, &err), c->good ? 0 : -1);
	if (c->good)
		ck_assert_int_eq(value.integer, c->value);
}
END_TEST

START_TEST(reads_the_limits_of_long_long)
{
	union argvalue value = {0};

	ck_assert_int_eq(argvalue_read(SPK_TYPE_LLONG, "-9223372036854775808", &value, NULL), 0);
	ck_assert(value.integer == LLONG_MIN);
	ck_assert_int_eq(argvalue_read(SPK_TYPE_LLONG, "9223372036854775807", &value, NULL), 0);
	ck_assert(value.integer == LLONG_MAX);
	ck_assert_int_eq(argvalue_read(SPK_TYPE_LLONG, "9223372036854775808", &value, NULL), -1);
	ck_assert_int_eq(argvalue_read(SPK_TYPE_LLONG, "-9223372036854775809", &value, NULL), -1);
}
END_TEST

static const struct {
	const char *text, *shown; /* NULL: refused */
} reals[] = {
	{"1", "1.0"},
	{"0.1", "0.1"},
	{" -2.50 ", "-2.5"},
	{".5", "0.5"},
	{"5.", "5.0"},
	{"1e16", "1e+16"},
	{"1e15", "1000000000000000.0"},
	{"1e-5", "1e-05"},
	{"0.0001", "0.0001"},
	{"123456.789", "123456.789"},
	{"1_0.5_0", "10.5"},
	{"-0", "-0.0"},
	{"1.7976931348623157e308", "1.7976931348623157e+308"},
	{"nan", NULL},
	{"inf", NULL},
	{"1e999", NULL},
	{"0x1p3", NULL},
	{"", NULL},
	{".", NULL},
	{"1e", NULL},
	{"1 2", NULL},
	{"1,5", NULL},
};

START_TEST(reads_and_shows_reals)
{
	union argvalue value = {0};
	char shown[REAL_TEXT_SIZE];

	ck_assert_int_eq(argvalue_read(SPK_TYPE_DOUBLE, reals[_i].text, &value, NULL),
			 reals[_i].shown ? 0 : -1);
	if (reals[_i].shown) {
		real_text(value.real, shown);
		ck_assert_str_eq(shown, reals[_i].shown);
	}
}
END_TEST

static const struct reading durations[] = {
	{"90", true, 90 * SECOND},
	{"1.5h", true, 5400 * SECOND},
	{"20m", true, 1200 * SECOND},
	{"1h30m", true, 5400 * SECOND},
	{"7d", true, 604800 * SECOND},
	{"2w", true, 1209600 * SECOND},
	{"500ms", true, SECOND / 2},
	{"0.000000001", true, 1},
	{"0", true, 0},
	{"1d1h1m1s", true, 90061 * SECOND},
	{"", false, 0},
	{"-5", false, 0},
	{"h", false, 0},
	{"1h30", false, 0},
	{"30m1h", false, 0},
	{"1m1m", false, 0},
	{"1 h", false, 0},
	{"1.h", false, 0},
	{"1x", false, 0},
	{"99999999w", false, 0},
	{"99999999999999999999", false, 0},
};

START_TEST(reads_durations)
{
	const struct reading *c = &durations[_i];
	spk_duration value = {0};

	ck_assert_int_eq(duration_read(c->text, &value, NULL), c->good ? 0 : -1);
	if (c->good)
		ck_assert_int_eq(value.ns, c->value);
}
END_TEST

START_TEST(shows_durations_as_they_are_read)
{
	static const struct {
		long long ns;
		const char *text;
	} cases[] = {{0, "0s"},
		     {120 * SECOND, "2m"},
		     {90 * SECOND, "1m30s"},
		     {5400 * SECOND, "1h30m"},
		     {604800 * SECOND, "7d"},
		     {2500000000, "2.5s"},
		     {1, "0.000000001s"},
		     {-60 * SECOND, "-1m"}};
	char text[DURATION_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		duration_text((spk_duration){cases[i].ns}, text);
		ck_assert_str_eq(text, cases[i].text);
	}
	duration_text((spk_duration){INT64_MIN}, text);
	ck_assert_str_eq(text, "-106751d23h47m16.854775808s");
}
END_TEST

static const struct reading dates[] = {
	{"1970-01-01", true, 0},       {"1969-12-31", true, -1},
	{"2024-02-29", true, 19782},   {"0001-01-01", true, -719162},
	{"9999-12-31", true, 2932896}, {"2023-02-29", false, 0},
	{"1900-02-29", false, 0},      {"2000-13-01", false, 0},
	{"2000-00-01", false, 0},      {"0000-01-01", false, 0},
	{"2000-1-1", false, 0},        {"20000101", false, 0},
	{"2000-01-01 ", false, 0},     {"", false, 0},
};

START_TEST(reads_dates)
{
	const struct reading *c = &dates[_i];
	spk_date value = {0};

	ck_assert_int_eq(date_read(c->text, &value, NULL), c->good ? 0 : -1);
	if (c->good)
		ck_assert_int_eq(value.days, c->value);
}
END_TEST

static const struct reading times[] = {
	{"1970-01-01", true, 0},
	{"1970-01-01T00:01", true, 60 * SECOND},
	{"1970-01-01 00:00:01.5", true, SECOND * 3 / 2},
	{"1970-01-01T02:00:00+02:00", true, 0},
	{"1970-01-01T00:00:00Z", true, 0},
	{"1969-12-31T23:30:00-0030", true, 0},
	{"1677-01-01", false, 0},
	{"2300-01-01", false, 0},
	{"1970-01-01T24:00", false, 0},
	{"1970-01-01T00:60", false, 0},
	{"1970-01-01T", false, 0},
	{"1970-01-01Z", false, 0},
	{"1970-01-01T00:00:00.", false, 0},
	{"1970-01-01T00:00+25:00", false, 0},
	{"now", false, 0},
};

START_TEST(reads_times)
{
	const struct reading *c = &times[_i];
	spk_time value = {0};

	ck_assert_int_eq(time_read(c->text, &value, NULL), c->good ? 0 : -1);
	if (c->good)
		ck_assert_int_eq(value.ns, c->value);
}
END_TEST

/* Memory of one test. */
static void *blocks[64];
static size_t block_count;

static void *allocate(void *data, size_t size)
{
	ck_assert_uint_lt(block_count, 64);
	return blocks[block_count++] = xcalloc(1, size);
}

static void release(void)
{
	while (block_count)
		free(blocks[--block_count]);
}

#define STORE(row, given, field, ...)                                                              \
	argvalue_store(row, given, SPK_STRINGS(__VA_ARGS__), field, allocate, NULL, NULL)
#define STORE_NOTHING(row, given, field)                                                           \
	argvalue_store(row, given, (spk_strings){0}, field, allocate, NULL, NULL)

START_TEST(stores_lists)
{
	const struct spk_arg commas = {.type = SPK_TYPE_STRINGS, .as = SPK_COMMA_LIST};
	const struct spk_arg numbers = {
		.type = SPK_TYPE_INTS, .has_default = true, .default_list = SPK_LIST("3", "4")};
	spk_strings strings = {0};
	spk_ints ints = {0};

	ck_assert_int_eq(STORE(&commas, true, &strings, "a,b", "", "c"), 0);
	ck_assert_uint_eq(strings.count, 4);
	ck_assert_str_eq(strings.items[1], "b");
	ck_assert_str_eq(strings.items[2], "");
	ck_assert_int_eq(STORE_NOTHING(&numbers, false, &ints), 0);
	ck_assert_uint_eq(ints.count, 2);
	ck_assert_int_eq(ints.items[1], 4);
	ck_assert_int_eq(STORE_NOTHING(&numbers, true, &ints), 0);
	ck_assert_uint_eq(ints.count, 0);
	ck_assert_int_eq(STORE(&numbers, true, &ints, "x"), -1);
	release();
}
END_TEST

START_TEST(stores_flags_and_their_opposite)
{
	const struct spk_arg on = {.type = SPK_TYPE_FLAG},
			     off = {.type = SPK_TYPE_FLAG, .off = true};
	bool flag = true;

	ck_assert_int_eq(STORE_NOTHING(&on, false, &flag), 0);
	ck_assert(!flag);
	ck_assert_int_eq(STORE_NOTHING(&on, true, &flag), 0);
	ck_assert(flag);
	ck_assert_int_eq(STORE_NOTHING(&off, true, &flag), 0);
	ck_assert(!flag);
	ck_assert_int_eq(STORE_NOTHING(&off, false, &flag), 0);
	ck_assert(flag);
}
END_TEST

START_TEST(expands_home_directories)
{
	const struct spk_arg row = {.type = SPK_TYPE_PATH};
	spk_path path = {0};

	setenv("HOME", "/home/me/", 1);
	ck_assert_int_eq(STORE(&row, true, &path, "~/x"), 0);
	ck_assert_str_eq(path.text, "/home/me/x");
	ck_assert_int_eq(STORE(&row, true, &path, "~root/y"), 0);
	ck_assert_str_eq(path.text, "/root/y");
	ck_assert_int_eq(STORE(&row, true, &path, "~no-such-user/z"), 0);
	ck_assert_str_eq(path.text, "~no-such-user/z");
	ck_assert_int_eq(STORE(&row, true, &path, "a~"), 0);
	ck_assert_str_eq(path.text, "a~");
	release();
}
END_TEST

START_TEST(stores_what_stands_last_or_the_default)
{
	const struct spk_arg number = {.type = SPK_TYPE_INT,
				       .arity = SPK_ZERO_OR_ONE,
				       .has_default = true,
				       .default_int = 5};
	const struct spk_arg upper = {.type = SPK_TYPE_STRING, .as = SPK_UPPER};
	const struct spk_arg wide = {
		.type = SPK_TYPE_INT, .has_default = true, .default_int = 1LL << 40};
	const char *text = "x";
	int value = 0;

	ck_assert_int_eq(STORE(&number, true, &value, "1", "2"), 0);
	ck_assert_int_eq(value, 2);
	ck_assert_int_eq(STORE_NOTHING(&number, true, &value), 0);
	ck_assert_int_eq(value, 5);
	ck_assert_int_eq(STORE_NOTHING(&wide, false, &value), -1);
	ck_assert_int_eq(STORE_NOTHING(&upper, false, &text), 0);
	ck_assert_ptr_null(text);
	ck_assert_int_eq(STORE(&upper, true, &text, "a1\xc3\xa9"), 0);
	ck_assert_str_eq(text, "A1\xc3\xa9");
	release();
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
	tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
	Suite *suite = suite_create("argvalue");
	TCase *tcase = tcase_create("argvalue");
	SRunner *runner = srunner_create(suite);
	int failed;

	LOOP(tcase, reads_integers, integers);
	tcase_add_test(tcase, reads_the_limits_of_long_long);
	LOOP(tcase, reads_and_shows_reals, reals);
	LOOP(tcase, reads_durations, durations);
	tcase_add_test(tcase, shows_durations_as_they_are_read);
	LOOP(tcase, reads_dates, dates);
	LOOP(tcase, reads_times, times);
	tcase_add_test(tcase, stores_lists);
	tcase_add_test(tcase, stores_flags_and_their_opposite);
	tcase_add_test(tcase, expands_home_directories);
	tcase_add_test(tcase, stores_what_stands_last_or_the_default);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
