/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/collection.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sdk_stub.h"

#define spk (sdk_session())

static void assert_keys(spk_strings keys, const char *joined)
{
	ck_assert_str_eq(spk_join(spk, ",", keys), joined);
}

START_TEST(a_map_keeps_order)
{
	struct spk_map *map = spk_map_new(spk);
	char key[] = "b";

	ck_assert_uint_eq(spk_map_count(map), 0);
	ck_assert_ptr_null(spk_map_find(map, "x"));
	assert_keys(spk_map_keys(map), "");
	spk_map_set(map, key, "1");
	key[0] = 'a';
	spk_map_set(map, key, "2");
	spk_map_set(map, "", "empty");
	spk_map_set(map, "b", "3");
	key[0] = '?';
	assert_keys(spk_map_keys(map), "b,a,");
	ck_assert_str_eq(spk_map_get(map, "b"), "3");
	ck_assert_str_eq(spk_map_get(map, ""), "empty");
	ck_assert(spk_map_remove(map, "b"));
	ck_assert(!spk_map_remove(map, "b"));
	ck_assert_ptr_null(spk_map_find(map, "b"));
	spk_map_set(map, "b", "4");
	assert_keys(spk_map_keys(map), "a,,b");
	ck_assert_uint_eq(spk_map_count(map), 3);
	SDK_RAISES("map", spk_map_get(map, "gone"));
	ck_assert(strstr(sdk_message(), "gone"));
	SDK_RAISES("misuse", spk_map_set(map, "a", NULL));
	SDK_RAISES("misuse", spk_map_set(map, NULL, "a"));
	SDK_RAISES("misuse", spk_map_count(NULL));
	SDK_RAISES("misuse", spk_map_find((struct spk_map *)(void *)spk_set_new(spk), "a"));
}
END_TEST

START_TEST(a_map_grows)
{
	struct spk_map *map = spk_map_new(spk);
	spk_strings keys;

	for (int i = 0; i < 20000; i++)
		spk_map_set(map, spk_format(spk, "key%d", i), spk_format(spk, "%d", i));
	for (int i = 0; i < 20000; i += 2)
		ck_assert(spk_map_remove(map, spk_format(spk, "key%d", i)));
	ck_assert_uint_eq(spk_map_count(map), 10000);
	keys = spk_map_keys(map);
	ck_assert_uint_eq(keys.count, 10000);
	for (int i = 0; i < 10000; i++) {
		ck_assert_str_eq(keys.items[i], spk_format(spk, "key%d", 2 * i + 1));
		ck_assert_str_eq(spk_map_get(map, keys.items[i]), spk_format(spk, "%d", 2 * i + 1));
	}
	ck_assert_ptr_null(spk_map_find(map, "key0"));
}
END_TEST

/* Against a plain array, with few keys so that adding and removing meet. */
START_TEST(a_set_does_as_an_array)
{
	struct spk_set *set = spk_set_new(spk);
	bool there[50] = {false};
	unsigned int seed = 7;
	size_t count = 0;

	for (int i = 0; i < 20000; i++) {
		int number = rand_r(&seed) % 50;
		const char *member = spk_format(spk, "%d", number);

		ck_assert(spk_set_has(set, member) == there[number]);
		if (rand_r(&seed) & 64) {
			ck_assert(spk_set_add(set, member) == !there[number]);
			count += !there[number];
			there[number] = true;
		} else {
			ck_assert(spk_set_remove(set, member) == there[number]);
			count -= there[number];
			there[number] = false;
		}
		ck_assert_uint_eq(spk_set_count(set), count);
	}
	ck_assert_uint_eq(spk_set_members(set).count, count);
}
END_TEST

START_TEST(sets_combine)
{
	struct spk_set *a = spk_set_of(spk, SPK_STRINGS("c", "a", "b", "a"));
	struct spk_set *b = spk_set_of(spk, SPK_STRINGS("d", "b"));
	struct spk_set *none = spk_set_new(spk);

	assert_keys(spk_set_members(a), "c,a,b");
	assert_keys(spk_set_members(spk_set_union(a, b)), "c,a,b,d");
	assert_keys(spk_set_members(spk_set_intersection(a, b)), "b");
	assert_keys(spk_set_members(spk_set_minus(a, b)), "c,a");
	assert_keys(spk_set_members(spk_set_minus(none, b)), "");
	ck_assert(spk_set_within(none, b) && spk_set_within(a, a) && !spk_set_within(a, b));
	ck_assert(!spk_set_add(a, "c"));
	assert_keys(spk_set_members(a), "c,a,b");
	SDK_RAISES("misuse", spk_set_union(a, NULL));
	SDK_RAISES("misuse", spk_set_of(spk, SPK_STRINGS("a", NULL)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("collection");
	TCase *tcase = tcase_create("collection");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_map_keeps_order);
	tcase_add_test(tcase, a_map_grows);
	tcase_add_test(tcase, a_set_does_as_an_array);
	tcase_add_test(tcase, sets_combine);
	tcase_add_checked_fixture(tcase, NULL, sdk_end);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
