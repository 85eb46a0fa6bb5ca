/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/hosts.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/runtime/hostset.h"
#include "sdk_stub.h"

#define spk (sdk_session())

static const struct spk_hosts *parse(const char *expression)
{
	return spk_hosts_parse(spk, expression);
}

/* Folds to this text, and this text to itself. */
static void assert_folds(const char *expression, const char *folded)
{
	const struct spk_hosts *hosts = parse(expression);

	ck_assert_str_eq(spk_hosts_fold(hosts), folded);
	ck_assert(spk_hosts_equal(hosts, parse(folded)));
	ck_assert_str_eq(spk_hosts_fold(parse(folded)), folded);
}

static void assert_names(const struct spk_hosts *hosts, const char *joined)
{
	struct spk_hosts_walk *walk = spk_hosts_walk(hosts);
	spk_strings names = spk_hosts_names(hosts);

	ck_assert_str_eq(spk_join(spk, " ", names), joined);
	ck_assert_uint_eq(names.count, spk_hosts_count(hosts));
	for (size_t i = 0; i < names.count; i++) {
		ck_assert_str_eq(spk_hosts_next(walk), names.items[i]);
		ck_assert(spk_hosts_has(hosts, names.items[i]));
	}
	ck_assert_ptr_null(spk_hosts_next(walk));
	ck_assert_ptr_null(spk_hosts_next(walk));
}

static void assert_refused(const char *expression, const char *why)
{
	SDK_RAISES("hosts.syntax", parse(expression));
	if (!strstr(sdk_message(), why))
		ck_abort_msg("'%s': %s", expression, sdk_message());
}

START_TEST(expressions_fold)
{
	assert_folds("", "");
	assert_folds(" \t", "");
	assert_folds("web", "web");
	assert_folds("db1012.dc1.example,db[1001-1010].dc1.example",
		     "db[1001-1010,1012].dc1.example");
	assert_folds("b,a10,a2,a1", "a[1-2,10],b");
	assert_folds("a[01-03],a[1-3]", "a[1-3,01-03]");
	assert_folds("a[9-11],a09", "a[9,09-11]");
	assert_folds("a[98-101]", "a[98-101]");
	assert_folds("a05,a[10-100]", "a[05,10-99,100]");
	assert_folds("a[0-8/4,20]", "a[0,4,8,20]");
	assert_folds("a1[0-3]5", "a[105,115,125,135]");
	assert_folds("a0[1-3]", "a[01-03]");
	assert_folds("a1[8,9,10]", "a[18-19,110]");
	assert_folds("[1-3]", "[1-3]");
	assert_folds("10.0.0.[1-3,5]", "10.0.0.[1-3,5]");
	assert_folds(" a1 , a2 ! a[ 1 - 1 ] ", "a2");
	assert_folds("n1x1,n1x2,n2x1,n2x2,n3x1", "n[1-2]x[1-2],n3x1");
	assert_folds("db[1-3].dc1,db[2-4].dc2", "db[1-2].dc1,db[2,4].dc2,db3.dc[1-2]");
}
END_TEST

START_TEST(operators_go_from_left_to_right)
{
	assert_folds("a[1-5]!a3", "a[1-2,4-5]");
	assert_folds("a[1-5]!a3,a3", "a[1-5]");
	assert_folds("a[1-5]!a1!a2,a9!a9", "a[3-5]");
	assert_folds("a[1-5],b[1-5]&a[4-9]", "a[4-5]");
	assert_folds("a[1-5]^a[4-9]", "a[1-3,6-9]");
	assert_folds("a[1-5]^a[4-9]^a[4-5]", "a[1-9]");
	assert_folds("a[1-5]&a[2-9]&a[3-4]", "a[3-4]");
	assert_folds("a1!a1", "");
	assert_folds("a1!a1,b", "b");
	assert_folds("a[1-3]!b[1-3]", "a[1-3]");
	assert_folds("r[1-9]n[1-9]!r[2-8]n[2-8]", "r[1,9]n[1-9],r[2-8]n[1,9]");
}
END_TEST

START_TEST(names_are_in_order)
{
	assert_names(parse("a10,a9,a1,a09"), "a1 a9 a09 a10");
	assert_names(parse("rack[2,1]-n[8-10]"),
		     "rack1-n8 rack1-n9 rack1-n10 rack2-n8 rack2-n9 rack2-n10");
	assert_names(parse("n[1-2]x[1,3]"), "n1x1 n1x3 n2x1 n2x3");
	assert_names(parse("a"), "a");
	assert_names(parse(""), "");
}
END_TEST

/* Digits behind the eighth number, and those of a long one, are text. */
START_TEST(many_and_long_numbers_are_names)
{
	const char *many = "a1b2c3d4e5f6g7h8i9j10", *other = "a1b2c3d4e5f6g7h8i9j11";
	const char *longest = "x123456789012345678", *text = "x1234567890123456789";

	assert_names(parse(many), many);
	assert_folds("a1b2c3d4e5f6g7h8i9j11,a1b2c3d4e5f6g7h8i9j10",
		     spk_join(spk, ",", SPK_STRINGS(many, other)));
	ck_assert(!spk_hosts_has(parse(many), other));
	assert_names(parse(longest), longest);
	assert_names(parse(text), text);
	ck_assert(spk_hosts_equal(parse(text), spk_hosts_of(spk, SPK_STRINGS(text))));
	assert_folds("x[999999999999999998-999999999999999999]",
		     "x[999999999999999998-999999999999999999]");
	assert_refused("a1b2c3d4e5f6g7h8i[9-10]", "more than 8 numbers");
	assert_refused("x[1-1000000000000000000]", "more than 18 digits");
	assert_refused("x12345678901234567[80-90]", "more than 18 digits");
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
	char longest[300];

	assert_refused("a[1", "not closed");
	assert_refused("a1]", "closed that was not opened");
	assert_refused("a[[1]]", "opened within brackets");
	assert_refused("a[1]2[3]", "between two pairs");
	assert_refused("a[]", "no number");
	assert_refused("a[1,]", "no number");
	assert_refused("a[1-]", "no number");
	assert_refused("a[x]", "begins with 'x'");
	assert_refused("a[-1]", "begins with '-'");
	assert_refused("a[1-2-3]", "FIRST-LAST");
	assert_refused("a[5-1]", "ends before it begins");
	assert_refused("a[1-010]", "same length");
	assert_refused("a[1-5/0]", "a step is 0");
	assert_refused("a[1/2]", "a step needs a range");
	assert_refused("a1[8-12]", "a digit stands before '8-12'");
	assert_refused("a,", "behind a ','");
	assert_refused("a!", "behind a '!'");
	assert_refused(",a", "before a ','");
	assert_refused("a,,b", "before a ','");
	assert_refused("a b", "a blank");
	assert_refused("-oProxyCommand=x", "does not begin with '-'");
	assert_refused("a;reboot", "';' may not be");
	assert_refused("a\x1b[1]", "'\\x1b' may not be");
	assert_refused("b\xc3\xb6se", "may not be");
	assert_refused("a%b", "'%' may not be");
	memset(longest, 'x', sizeof(longest));
	longest[254] = '\0';
	assert_refused(longest, "253");
	longest[253] = '\0';
	ck_assert_uint_eq(spk_hosts_count(parse(longest)), 1);
	longest[252] = '\0';
	ck_assert_uint_eq(spk_hosts_count(parse(spk_format(spk, "%s[1-9]", longest))), 9);
	assert_refused(spk_format(spk, "%s[1-10]", longest), "253");
	SDK_RAISES("misuse", parse(NULL));
}
END_TEST

/* Before memory is used up, and before long. */
START_TEST(too_much_is_refused)
{
	assert_refused("a[1-999999999]", "more than 10000000 hosts");
	assert_refused("a[1-999999999/2]", "more than 10000000 hosts");
	assert_refused("a[1-9999]b[1-9999]", "more than 10000000 hosts");
	assert_refused("a[1-999]b[1-999]c[1-999]d[1-999]e[1-999]f[1-999]g[1-999]h[1-999]",
		       "more than 10000000 hosts");
	assert_refused("a[1-9999999],b[1-9999999]", "more than 10000000 hosts");
	assert_refused("a[1-9999999]0,b[1-9999999]0", "separate ranges");
	assert_refused("a[1-2999/2]b[1-2999/2]c1d2e3f4", "separate ranges");
}
END_TEST

START_TEST(the_limit_is_that_of_all)
{
	ck_assert_uint_eq(spk_hosts_count(parse("a[1-10000000]")), 10000000);
	SDK_RAISES("hosts.size", spk_hosts_union(parse("a[1-6000000]"), parse("b[1-6000000]")));
	SDK_RAISES("hosts.size",
		   spk_hosts_symmetric_difference(parse("a[1-6000000]"), parse("b[1-6000000]")));
}
END_TEST

START_TEST(plain_names_are_no_expressions)
{
	spk_strings names = SPK_STRINGS("b2", "a", "b1", "b2", "db1.dc1");

	assert_names(spk_hosts_of(spk, names), "a b1 b2 db1.dc1");
	assert_names(spk_hosts_of(spk, (spk_strings){0}), "");
	SDK_RAISES("hosts.syntax", spk_hosts_of(spk, SPK_STRINGS("a", "b[1-2]")));
	ck_assert(strstr(sdk_message(), "b[1-2]"));
	SDK_RAISES("hosts.syntax", spk_hosts_of(spk, SPK_STRINGS("a,b")));
	SDK_RAISES("hosts.syntax", spk_hosts_of(spk, SPK_STRINGS("")));
	SDK_RAISES("hosts.syntax", spk_hosts_of(spk, SPK_STRINGS("-x")));
	SDK_RAISES("misuse", spk_hosts_of(spk, SPK_STRINGS("a", NULL)));
}
END_TEST

START_TEST(sets_combine)
{
	const struct spk_hosts *a = parse("a[1-5],b"), *b = parse("a[4-8],c[1-2]"),
			       *none = parse("");

	ck_assert_str_eq(spk_hosts_fold(spk_hosts_union(a, b)), "a[1-8],b,c[1-2]");
	ck_assert_str_eq(spk_hosts_fold(spk_hosts_minus(a, b)), "a[1-3],b");
	ck_assert_str_eq(spk_hosts_fold(spk_hosts_intersection(a, b)), "a[4-5]");
	ck_assert_str_eq(spk_hosts_fold(spk_hosts_symmetric_difference(a, b)),
			 "a[1-3,6-8],b,c[1-2]");
	ck_assert_str_eq(spk_hosts_fold(spk_hosts_union(none, a)), "a[1-5],b");
	ck_assert_str_eq(spk_hosts_fold(spk_hosts_minus(none, a)), "");
	ck_assert_str_eq(spk_hosts_fold(spk_hosts_union(none, none)), "");
	ck_assert_str_eq(spk_hosts_fold(a), "a[1-5],b");
	ck_assert(spk_hosts_within(parse("a[2-3],b"), a) && spk_hosts_within(none, a));
	ck_assert(!spk_hosts_within(parse("a6"), a) && !spk_hosts_within(parse("b1"), a));
	ck_assert(!spk_hosts_within(a, none) && spk_hosts_within(none, none));
	ck_assert(spk_hosts_has(a, "a5") && !spk_hosts_has(a, "a05") && !spk_hosts_has(a, "a6"));
	ck_assert(spk_hosts_has(a, "b") && !spk_hosts_has(a, "") && !spk_hosts_has(a, "a[1-2]"));
	ck_assert(!spk_hosts_equal(a, b) && spk_hosts_equal(a, parse("b,a5,a[1-4]")));
	SDK_RAISES("misuse", spk_hosts_union(a, NULL));
	SDK_RAISES("misuse",
		   spk_hosts_count((const struct spk_hosts *)(const void *)spk_set_new(spk)));
}
END_TEST

START_TEST(slices)
{
	const struct spk_hosts *hosts = parse("a[1-3],b[1-2]x[7-9],c");
	spk_hosts_list parts = spk_hosts_split(hosts, 4);
	const struct spk_hosts *all = parse("");

	ck_assert_uint_eq(parts.count, 4);
	ck_assert_str_eq(spk_hosts_fold(parts.items[0]), "a[1-3]");
	ck_assert_str_eq(spk_hosts_fold(parts.items[1]), "b1x[7-9]");
	ck_assert_str_eq(spk_hosts_fold(parts.items[2]), "b2x[7-8]");
	ck_assert_str_eq(spk_hosts_fold(parts.items[3]), "b2x9,c");
	ck_assert_str_eq(spk_hosts_fold(spk_hosts_slice(hosts, 2, 3)), "a3,b1x[7-8]");
	ck_assert_str_eq(spk_hosts_fold(spk_hosts_slice(hosts, 4, 3)), "b1x[8-9],b2x7");
	ck_assert_str_eq(spk_hosts_fold(spk_hosts_slice(hosts, 9, 9)), "c");
	ck_assert_str_eq(spk_hosts_fold(spk_hosts_slice(hosts, 10, 1)), "");
	ck_assert_str_eq(spk_hosts_fold(spk_hosts_slice(hosts, 0, 0)), "");
	for (size_t i = 0; i < 10; i++)
		all = spk_hosts_union(all, spk_hosts_slice(hosts, i, 1));
	ck_assert(spk_hosts_equal(all, hosts));
	ck_assert_uint_eq(spk_hosts_split(hosts, 99).count, 10);
	ck_assert_uint_eq(spk_hosts_split(parse(""), 3).count, 0);
	SDK_RAISES("misuse", spk_hosts_split(hosts, 0));
}
END_TEST

/* Where each part cost as much as is before it, this would not end within the time of a test. */
START_TEST(many_parts_of_many_ranges)
{
	enum { HOSTS = 600000, PARTS = 290000 };
	const struct spk_hosts *hosts = parse("a[1-1199999/2]");
	struct hostset **parts = calloc(PARTS, sizeof(struct hostset *));
	struct hostset *set;
	size_t count = 0;
	struct err err;

	ck_assert_uint_eq(spk_hosts_count(hosts), HOSTS);
	ck_assert_int_eq(hostset_parse("a[1-1199999/2]", 14, &set, &err), 0);
	ck_assert_int_eq(hostset_split(set, PARTS, parts, &err), 0);
	for (size_t i = 0; i < PARTS; i++) {
		char name[32];

		ck_assert_uint_eq(hostset_count(parts[i]), i < HOSTS % PARTS ? 3 : 2);
		snprintf(name, sizeof(name), "a%zu", 2 * count + 1);
		ck_assert(hostset_has(parts[i], name));
		count += hostset_count(parts[i]);
		hostset_free(parts[i]);
	}
	ck_assert_uint_eq(count, HOSTS);
	hostset_free(set);
	free(parts);
}
END_TEST

START_TEST(so_many_and_no_other)
{
	const struct spk_hosts *hosts = parse("a[1-3]");

	ck_assert_ptr_eq(spk_hosts_exactly(hosts, 3), hosts);
	SDK_RAISES("hosts.count", spk_hosts_exactly(hosts, 1));
	ck_assert_str_eq(sdk_message(), "expected 1 host, got 3: a[1-3]");
	SDK_RAISES("hosts.count", spk_hosts_exactly(parse(""), 2));
	ck_assert_str_eq(sdk_message(), "expected 2 hosts, got 0");
}
END_TEST

/* A random set of points, as boxes and as an array. */
#define SIDE 12
#define POINTS (SIDE * SIDE * SIDE)

static size_t place(int x, int y, int z)
{
	return (size_t)((x * SIDE + y) * SIDE + z);
}

static const struct spk_hosts *random_points(unsigned int *seed, bool *points, int boxes)
{
	struct buf text = {0};
	const struct spk_hosts *hosts;

	memset(points, 0, POINTS * sizeof(*points));
	for (int i = 0; i < boxes; i++) {
		int low[3], high[3];

		for (int j = 0; j < 3; j++) {
			low[j] = rand_r(seed) % SIDE;
			high[j] = low[j] + rand_r(seed) % (SIDE - low[j]);
		}
		buf_printf(&text, "%sx[%d-%d]y[%d-%d]z[%d-%d]", i ? "," : "", low[0], high[0],
			   low[1], high[1], low[2], high[2]);
		for (int x = low[0]; x <= high[0]; x++)
			for (int y = low[1]; y <= high[1]; y++)
				for (int z = low[2]; z <= high[2]; z++)
					points[place(x, y, z)] = true;
	}
	hosts = parse(buf_text(&text));
	buf_free(&text);
	return hosts;
}

static void assert_points(const struct spk_hosts *hosts, bool *points)
{
	struct spk_hosts_walk *walk = spk_hosts_walk(hosts);
	size_t count = 0;

	for (int x = 0; x < SIDE; x++)
		for (int y = 0; y < SIDE; y++)
			for (int z = 0; z < SIDE; z++) {
				char name[64];

				if (!points[place(x, y, z)])
					continue;
				snprintf(name, sizeof(name), "x%dy%dz%d", x, y, z);
				ck_assert_str_eq(spk_hosts_next(walk), name);
				count++;
			}
	ck_assert_uint_eq(spk_hosts_count(hosts), count);
	ck_assert(spk_hosts_equal(parse(spk_hosts_fold(hosts)), hosts));
}

START_TEST(sets_do_as_an_array)
{
	static bool in[POINTS], other[POINTS], expected[POINTS];
	unsigned int seed = 11;

	for (int round = 0; round < 60; round++) {
		const struct spk_hosts *a = random_points(&seed, in, 1 + round % 6);
		const struct spk_hosts *b = random_points(&seed, other, 1 + round % 5);
		const struct spk_hosts *made[] = {spk_hosts_union(a, b), spk_hosts_minus(a, b),
						  spk_hosts_intersection(a, b),
						  spk_hosts_symmetric_difference(a, b)};

		assert_points(a, in);
		for (int i = 0; i < 4; i++) {
			for (int j = 0; j < POINTS; j++) {
				bool one = in[j], two = other[j];

				expected[j] = i == 0   ? one || two
					      : i == 1 ? one && !two
					      : i == 2 ? one && two
						       : one != two;
			}
			assert_points(made[i], expected);
		}
		ck_assert(spk_hosts_within(made[2], a) && spk_hosts_within(made[1], a));
		ck_assert(spk_hosts_equal(spk_hosts_union(made[3], made[2]), made[0]));
	}
}
END_TEST

/* More than HOSTVECTORS_EXACT hosts with two numbers, and no product. */
START_TEST(large_sets_fold)
{
	const struct spk_hosts *hosts = parse("n[1-500000].dc1,n[500001-900000].dc2,n7.dc2");
	struct hostset *set;
	struct err err;

	ck_assert_str_eq(spk_hosts_fold(hosts),
			 "n[1-6,8-500000].dc1,n[500001-900000].dc2,n7.dc[1-2]");
	ck_assert_uint_eq(spk_hosts_count(hosts), 900001);
	ck_assert_int_eq(hostset_parse("a[1-1000000]", 12, &set, &err), 0);
	ck_assert_uint_lt(hostset_bytes(set), 300);
	hostset_free(set);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosts");
	TCase *tcase = tcase_create("hosts");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 300);
	tcase_add_test(tcase, expressions_fold);
	tcase_add_test(tcase, operators_go_from_left_to_right);
	tcase_add_test(tcase, names_are_in_order);
	tcase_add_test(tcase, many_and_long_numbers_are_names);
	tcase_add_test(tcase, what_is_wrong_is_said);
	tcase_add_test(tcase, too_much_is_refused);
	if (LARGE_SETS)
		tcase_add_test(tcase, the_limit_is_that_of_all);
	tcase_add_test(tcase, plain_names_are_no_expressions);
	tcase_add_test(tcase, sets_combine);
	tcase_add_test(tcase, slices);
	if (LARGE_SETS)
		tcase_add_test(tcase, many_parts_of_many_ranges);
	tcase_add_test(tcase, so_many_and_no_other);
	tcase_add_test(tcase, sets_do_as_an_array);
	tcase_add_test(tcase, large_sets_fold);
	tcase_add_checked_fixture(tcase, NULL, sdk_end);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
