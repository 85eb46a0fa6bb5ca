/* SPDX-License-Identifier: Apache-2.0 */
/* Names of locks, who may come in, and what is said about it. */
#include "../../core/host/lock/lockname.h"
#include "../../core/host/lock/locktext.h"
#include "../../core/host/lock/lockview.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000LL
#define TIME (1697719965LL * SECOND) /* 2023-10-19 12:52:45 */

static const struct {
	enum lock_family family;
	const char *name, *key, *reason;
} names[] = {
	{LOCK_COOKBOOK, "a.b", "/spicerack/locks/cookbooks/a.b", NULL},
	{LOCK_COOKBOOK, "a.b:c d", "/spicerack/locks/cookbooks/a.b:c d", NULL},
	{LOCK_CUSTOM, "\xc3\xa4", "/spicerack/locks/custom/\xc3\xa4", NULL},
	{LOCK_MODULE, "spicerack.dhcp", "/spicerack/locks/modules/spicerack.dhcp", NULL},
	{LOCK_MODULE, "spicerack", NULL, "must start with 'spicerack.'"},
	{LOCK_MODULE, "other.dhcp", NULL, "must start with 'spicerack.'"},
	{LOCK_CUSTOM, "", NULL, "must not be empty"},
	{LOCK_CUSTOM, "/", NULL, "must not hold a slash"},
	{LOCK_CUSTOM, "a/b", NULL, "must not hold a slash"},
	{LOCK_CUSTOM, "a\nb", NULL, "text that can be shown: 'a\\x0ab'"},
	{LOCK_CUSTOM, "a\xff", NULL, "text that can be shown: 'a\\xff'"},
};

START_TEST(keys_of_names)
{
	struct err err = {""};
	char *key = lock_key(names[_i].family, names[_i].name, &err);

	if (names[_i].key)
		ck_assert_str_eq(key, names[_i].key);
	else
		ck_assert_ptr_null(key);
	if (names[_i].reason)
		ck_assert_ptr_nonnull(strstr(err.text, names[_i].reason));
	free(key);
}
END_TEST

START_TEST(long_names)
{
	char name[LOCK_NAME_MAX + 2];
	struct err err;
	char *key;

	memset(name, 'x', sizeof(name));
	name[LOCK_NAME_MAX] = '\0';
	key = lock_key(LOCK_CUSTOM, name, &err);
	ck_assert_ptr_nonnull(key);
	free(key);
	name[LOCK_NAME_MAX] = 'x';
	name[LOCK_NAME_MAX + 1] = '\0';
	ck_assert_ptr_null(lock_key(LOCK_CUSTOM, name, &err));
}
END_TEST

START_TEST(words_of_operators)
{
	struct err err;
	char *key = lock_key_of_word("a.b", &err);

	ck_assert_str_eq(key, "/spicerack/locks/cookbooks/a.b");
	free(key);
	key = lock_key_of_word("/spicerack/locks/custom/x", &err);
	ck_assert_str_eq(key, "/spicerack/locks/custom/x");
	free(key);
	ck_assert_ptr_null(lock_key_of_word("/spicerack/locks/custom/", &err));
	ck_assert_ptr_null(lock_key_of_word("/spicerack/locks/other/x", &err));
	ck_assert_ptr_null(lock_key_of_word("/spicerack/locks/custom/x/y", &err));
	ck_assert_ptr_null(lock_key_of_word("", &err));
}
END_TEST

/* What one entry of a list is for these tests. */
struct given {
	int32_t concurrency;
	uint32_t place;
	const char *reason;
};

static struct lock_list make(const struct given *given, size_t count)
{
	struct lock_list list = {0};

	for (size_t i = 0; i < count; i++) {
		struct spk_lock_entry entry = {
			.size = sizeof(entry),
			.key = "/spicerack/locks/custom/x",
			.id = "id",
			.owner = "user@host [1]",
			.created_ns = TIME + (int64_t)i * SECOND / 4,
			.ttl_ns = 60 * SECOND,
			.concurrency = given[i].concurrency,
			.place = given[i].place,
			.reason = given[i].reason,
		};

		lock_list_add(&list, &entry);
	}
	return list;
}

static const struct {
	struct given given[4];
	size_t count;
	int32_t asked, limit;
	bool admits;
} rules[] = {
	{{{0}}, 0, 1, 1, true},
	{{{0}}, 0, 0, 0, true},
	{{{1, 0, NULL}}, 1, 1, 1, false},
	{{{1, 0, NULL}}, 1, 0, 1, false}, /* those who are in bind who asks for more */
	{{{0, 0, NULL}}, 1, 1, 1, false}, /* who is unlimited counts all the same */
	{{{0, 0, NULL}}, 1, 2, 2, true},
	{{{0, 0, NULL}}, 1, 0, 0, true},
	{{{5, 0, NULL}, {2, 0, NULL}}, 2, 9, 2, false},
	{{{5, 0, NULL}, {3, 0, NULL}}, 2, 9, 3, true},
	{{{5, 0, NULL}, {1, 1, NULL}}, 2, 9, 5, false}, /* nobody overtakes */
	{{{0, 0, "why"}}, 1, 0, 0, false},
};

START_TEST(who_comes_in)
{
	struct lock_list list = make(rules[_i].given, rules[_i].count);

	ck_assert_int_eq(lock_list_limit(&list, rules[_i].asked), rules[_i].limit);
	ck_assert_int_eq(lock_list_admits(&list, rules[_i].asked), rules[_i].admits);
	lock_list_free(&list);
}
END_TEST

START_TEST(texts)
{
	static const struct given given[] = {{1, 0, NULL}, {1, 1, NULL}, {0, 0, "moving\n\x1b[2J"}};
	struct lock_list list = make(given, 2);
	struct buf out = {0};

	lock_text_wanted(&list.entries[1], &out);
	ck_assert_str_eq(out.text,
			 "{'concurrency': 1, 'created': '2023-10-19 12:52:45.250000+00:00', "
			 "'owner': 'user@host [1]', 'ttl': 60}");
	buf_clear(&out);
	lock_text_others(&list, &list.entries[1], &out);
	ck_assert_str_eq(out.text,
			 "There are already 1 concurrent locks and the concurrency allowed is 1:\n"
			 "    2023-10-19 12:52:45: user@host [1]\n"
			 "    2023-10-19 12:52:45.250000: user@host [1] (waits)");
	lock_list_free(&list);
	list = make(given + 2, 1);
	buf_clear(&out);
	lock_text_others(&list, &list.entries[0], &out);
	ck_assert_str_eq(out.text,
			 "An operator holds the key:\n"
			 "    2023-10-19 12:52:45: user@host [1] until 2023-10-19 12:53:45: "
			 "moving\\x0a\\x1b[2J");
	lock_list_free(&list);
	buf_clear(&out);
	lock_text_span(1755 * SECOND, &out);
	ck_assert_str_eq(out.text, "29 min");
	buf_clear(&out);
	lock_text_time(-1, &out);
	ck_assert_str_eq(out.text, "1969-12-31 23:59:59.999999");
	buf_free(&out);
}
END_TEST

/* A time and a span that a hostile store may tell must neither overflow nor end the program. */
START_TEST(absurd_times)
{
	struct spk_lock_entry entry = {.size = sizeof(entry),
				       .key = "k",
				       .id = "i",
				       .owner = "o",
				       .reason = "r",
				       .created_ns = INT64_MAX,
				       .ttl_ns = INT64_MAX};
	struct lock_list list = {0};
	struct buf out = {0};

	lock_list_add(&list, &entry);
	entry.created_ns = INT64_MIN;
	lock_list_add(&list, &entry);
	lock_text_others(&list, &entry, &out);
	lock_view_text(&list, TIME, &out);
	lock_view_json(&list, TIME, &out);
	ck_assert_ptr_nonnull(strstr(out.text, "\"key\": \"k\""));
	lock_list_free(&list);
	buf_free(&out);
}
END_TEST

START_TEST(json)
{
	struct spk_lock_entry entry = {.size = sizeof(entry),
				       .key = "k",
				       .id = "i",
				       .owner = "a\"b\\c@h [42]",
				       .created_ns = TIME,
				       .ttl_ns = SECOND,
				       .concurrency = 2,
				       .fence = 7};
	struct lock_list list = {0};
	struct buf out = {0};

	lock_view_json(&list, TIME, &out);
	ck_assert_str_eq(out.text, "[]\n");
	buf_clear(&out);
	lock_list_add(&list, &entry);
	lock_view_json(&list, TIME + SECOND, &out);
	ck_assert_str_eq(
		out.text,
		"[\n {\"key\": \"k\", \"used\": 1, \"allowed\": 2, \"entries\": [\n"
		"  {\"id\": \"i\", \"state\": \"held\", \"place\": 0, "
		"\"owner\": \"a\\\"b\\\\c@h [42]\", \"pid\": 42, \"cookbook\": null, "
		"\"since\": \"2023-10-19 12:52:45+00:00\", \"age\": 1.000, \"ttl\": 1.000, "
		"\"concurrency\": 2, \"fence\": 7, \"reason\": null}\n ]}\n]\n");
	lock_list_free(&list);
	buf_free(&out);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("locknames");
	TCase *tcase = tcase_create("locknames");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, keys_of_names, 0, COUNT(names));
	tcase_add_test(tcase, long_names);
	tcase_add_test(tcase, words_of_operators);
	tcase_add_loop_test(tcase, who_comes_in, 0, COUNT(rules));
	tcase_add_test(tcase, texts);
	tcase_add_test(tcase, absurd_times);
	tcase_add_test(tcase, json);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
