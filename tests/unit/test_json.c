/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/json.h>

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk_stub.h"

#define spk (sdk_session())

#define STATUS                                                                                     \
	"{\"status\": {\"pods\": [{\"name\": \"a\", \"ready\": true, \"labels\": {\"app/name\": "  \
	"\"x\", \"say \\\"hi\\\"\": \"y\"}}, {\"name\": null}], \"none\": null, \"count\": 2}}"

static struct spk_json *parse(const char *text)
{
	return spk_json_parse(spk, "t.json", text, strlen(text));
}

static void assert_message(const char *message)
{
	ck_assert_str_eq(sdk_message(), message);
}

static void assert_same(const char *text)
{
	ck_assert_str_eq(spk_json_encode(parse(text)), text);
}

static void assert_refused(const char *text, size_t length, const char *why)
{
	char message[200];

	SDK_RAISES("json.syntax", spk_json_parse(spk, "t.json", text, length));
	snprintf(message, sizeof(message), "t.json: not such JSON as can be read: line %s", why);
	assert_message(message);
}

START_TEST(what_was_read_is_written)
{
	static const char *const same[] = {
		"null",
		"true",
		"false",
		"0",
		"-0",
		"12",
		"-1.5",
		"1e5",
		"1.25E-3",
		"\"\"",
		"\"a\\\"b\\\\c\\nd\\te\"",
		"\"\\u0001\"",
		"[]",
		"{}",
		"[[],{}]",
		"{\"\":1,\"a\":[1,2,{\"b\":null}]}",
		"\"\xc3\xa9\xf0\x9f\x98\x80\"",
		/* No digit is lost. */
		"9007199254740993",
		"18446744073709551615",
		"123456789012345678901234567890",
		"0.1000000000000000055511151231257827",
		"1e400",
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		assert_same(same[i]);
	ck_assert_str_eq(
		spk_json_encode(parse(" \t\r\n[ 1 , {\"a\" : \"\\u00e9\\ud83d\\ude00\\/\"} ]\n")),
		"[1,{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80/\"}]");
	ck_assert_str_eq(spk_json_pretty(parse("{\"a\":[1,2],\"b\":{},\"c\":[]}")),
			 "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}");
}
END_TEST

START_TEST(what_is_no_json_is_refused)
{
	static const struct {
		const char *text, *why;
	} wrong[] = {
		{"", "1, column 1: expected a value, this is the end"},
		{" \n ", "2, column 2: expected a value, this is the end"},
		{"nul", "1, column 1: expected a value"},
		{"nulll", "1, column 5: something stands behind the value"},
		{"1 2", "1, column 3: something stands behind the value"},
		{"[1,]", "1, column 4: expected a value"},
		{"[1 2]", "1, column 4: expected ',' or ']'"},
		{"[1", "1, column 3: expected ',' or ']'"},
		{"[", "1, column 2: expected a value, this is the end"},
		{"]", "1, column 1: expected a value"},
		{"{\"a\":1]", "1, column 7: expected ',' or '}'"},
		{"{\"a\":1,}", "1, column 8: expected the name of a member in quotes"},
		{"{a:1}", "1, column 2: expected the name of a member in quotes"},
		{"{\"a\" 1}", "1, column 6: expected ':' behind the name of a member"},
		{"{\"a\"", "1, column 5: expected ':' behind the name of a member"},
		{"{\"a\":", "1, column 6: expected a value, this is the end"},
		{"{\"a\":1,\"b\":2,\"a\":3}", "1, column 14: the member 'a' is there twice"},
		{"01", "1, column 1: a number that is none"},
		{"-", "1, column 1: a number that is none"},
		{"1.", "1, column 1: a number that is none"},
		{"1e", "1, column 1: a number that is none"},
		{"1e+", "1, column 1: a number that is none"},
		{".5", "1, column 1: expected a value"},
		{"+1", "1, column 1: expected a value"},
		{"0x10", "1, column 2: something stands behind the value"},
		{"NaN", "1, column 1: expected a value"},
		{"Infinity", "1, column 1: expected a value"},
		{"\"a", "1, column 1: a text has no end"},
		{"\"a\nb\"", "1, column 3: a control character in a text"},
		{"\"\\x\"", "1, column 2: an escape that is none, or stands for NUL or half a "
			    "character"},
		{"\"\\u12\"", "1, column 2: an escape that is none, or stands for NUL or half a "
			      "character"},
		{"\"\\ud800\"", "1, column 2: an escape that is none, or stands for NUL or half a "
				"character"},
		{"\"\\ud800\\u0041\"", "1, column 2: an escape that is none, or stands for NUL or "
				       "half a character"},
		{"\"\\udc00\"", "1, column 2: an escape that is none, or stands for NUL or half a "
				"character"},
		{"\"\\u0000\"", "1, column 2: an escape that is none, or stands for NUL or half a "
				"character"},
		{"\"\xff\"", "1, column 2: a text is not UTF-8"},
		{"\"\xc0\x80\"", "1, column 2: a text is not UTF-8"},
		{"\"\xed\xa0\x80\"", "1, column 2: a text is not UTF-8"},
		{"\"a\xc3", "1, column 3: a text is not UTF-8"},
		{"// c\n1", "1, column 1: expected a value"},
		{"\xef\xbb\xbf"
		 "1",
		 "1, column 1: expected a value"},
		{"{\"a\": 1,\n \"b\": x}", "2, column 7: expected a value"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_refused(wrong[i].text, strlen(wrong[i].text), wrong[i].why);
	assert_refused("\"a\0b\"", 5, "1, column 3: a control character in a text");
	assert_refused("1\0", 2, "1, column 2: something stands behind the value");
	assert_refused("\0", 1, "1, column 1: expected a value");
	/* What stands behind the end is not looked at. */
	ck_assert_int_eq(spk_json_get_int(spk_json_parse(spk, "t", "123456", 3), ""), 123);
}
END_TEST

static char *repeat(const char *part, size_t count, const char *end)
{
	size_t length = strlen(part);
	char *text = calloc(1, length * count + strlen(end) + 1);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * length, part, length);
	memcpy(text + count * length, end, strlen(end));
	return text;
}

START_TEST(too_much_is_refused)
{
	char *deep = repeat("[", 501, ""), *many = repeat("1,", LARGE_SETS ? 1000000 : 1, "1");
	char *list = calloc(1, strlen(many) + 3);

	SDK_RAISES("json.size", parse(deep));
	assert_message("t.json: not such JSON as can be read: line 1, column 501: more than 500 "
		       "levels");
	deep[500] = '\0';
	assert_refused(deep, 500, "1, column 501: expected a value, this is the end");
	ck_assert_ptr_nonnull(list);
	snprintf(list, strlen(many) + 3, "[%s]", many);
	if (LARGE_SETS)
		SDK_RAISES("json.size", parse(list));
	SDK_RAISES("json.size", spk_json_parse(spk, "t.json", "1", ((size_t)16 << 20) + 1));
	assert_message("t.json: more than 16 MiB of JSON");
	free(deep);
	free(many);
	free(list);
}
END_TEST

START_TEST(paths_lead_to_values)
{
	const struct spk_json *json = parse(STATUS), *pod;

	ck_assert_str_eq(spk_json_get_text(json, "status.pods[0].name"), "a");
	ck_assert(spk_json_get_bool(json, "status.pods[0].ready"));
	ck_assert_str_eq(spk_json_get_text(json, "[\"status\"].pods[0].labels[\"app/name\"]"), "x");
	ck_assert_str_eq(spk_json_get_text(json, "status.pods[0].labels[\"say \\\"hi\\\"\"]"), "y");
	ck_assert_int_eq(spk_json_get_int(json, "status.count"), 2);
	ck_assert_uint_eq(spk_json_count(json, "status.pods"), 2);
	ck_assert_uint_eq(spk_json_count(json, "status"), 3);
	ck_assert_str_eq(spk_join(spk, " ", spk_json_names(json, "status")), "pods none count");
	pod = spk_json_item(spk_json_get(json, "status.pods"), 0);
	ck_assert_str_eq(spk_json_path(pod), "status.pods[0]");
	ck_assert_ptr_null(spk_json_name(pod));
	ck_assert_str_eq(spk_json_name(spk_json_item(pod, 1)), "ready");
	ck_assert_str_eq(spk_json_path(spk_json_item(spk_json_get(pod, "labels"), 1)),
			 "status.pods[0].labels[\"say \\\"hi\\\"\"]");
	ck_assert_str_eq(spk_json_path(json), "");
	ck_assert_ptr_eq(spk_json_get(json, ""), json);
	ck_assert_str_eq(
		spk_json_get_text(spk_json_member(spk_json_get(pod, "labels"), "app/name"), ""),
		"x");
	ck_assert_ptr_null(spk_json_member(pod, "labels.app"));
	ck_assert_str_eq(
		spk_join(spk, " ", spk_json_get_texts(parse("{\"a\":[\"x\",\"y\"]}"), "a")), "x y");
}
END_TEST

START_TEST(types_are_told)
{
	const struct spk_json *json = parse(STATUS);

	ck_assert_int_eq(spk_json_type(json, ""), SPK_JSON_OBJECT);
	ck_assert_int_eq(spk_json_type(json, "status.pods"), SPK_JSON_ARRAY);
	ck_assert_int_eq(spk_json_type(json, "status.pods[0].name"), SPK_JSON_TEXT);
	ck_assert_int_eq(spk_json_type(json, "status.count"), SPK_JSON_NUMBER);
	ck_assert_int_eq(spk_json_type(json, "status.pods[0].ready"), SPK_JSON_BOOL);
	ck_assert_int_eq(spk_json_type(json, "status.none"), SPK_JSON_NULL);
	ck_assert_int_eq(spk_json_type(json, "status.no"), SPK_JSON_ABSENT);
	ck_assert_int_eq(spk_json_type(json, "status.none.x"), SPK_JSON_ABSENT);
	ck_assert_int_eq(spk_json_type(json, "status.count.x"), SPK_JSON_ABSENT);
	ck_assert_int_eq(spk_json_type(json, "status.pods[2]"), SPK_JSON_ABSENT);
}
END_TEST

START_TEST(missing_null_and_wrong_type_are_apart)
{
	const struct spk_json *json = parse(STATUS), *pod = spk_json_get(json, "status.pods[1]");

	SDK_RAISES("json.missing", spk_json_get_text(json, "status.no.more"));
	assert_message("t.json: there is no 'status.no.more': 'status' has no such member");
	SDK_RAISES("json.missing", spk_json_get(json, "status.pods[2].name"));
	assert_message("t.json: there is no 'status.pods[2].name': 'status.pods' has 2 items");
	SDK_RAISES("json.missing", spk_json_get_text(pod, "labels"));
	assert_message("t.json: there is no 'status.pods[1].labels': 'status.pods[1]' has no such "
		       "member");
	SDK_RAISES("json.missing", spk_json_get_text(json, "no"));
	assert_message("t.json: there is no 'no': the document has no such member");
	SDK_RAISES("json.missing", spk_json_item(pod, 1));
	assert_message("t.json: 'status.pods[1]' has 1 item, there is no number 1");
	SDK_RAISES("json.null", spk_json_get_text(pod, "name"));
	assert_message("t.json: 'status.pods[1].name' is null, not a text");
	SDK_RAISES("json.null", spk_json_get_text(json, "status.none.more"));
	assert_message("t.json: there is no 'status.none.more': 'status.none' is null");
	SDK_RAISES("json.type", spk_json_get_text(json, "status.count"));
	assert_message("t.json: 'status.count' is a number, not a text");
	SDK_RAISES("json.type", spk_json_get_text(json, "status.pods.name"));
	assert_message("t.json: there is no 'status.pods.name': 'status.pods' is an array");
	SDK_RAISES("json.type", spk_json_get_text(json, "status.count[0]"));
	SDK_RAISES("json.type", spk_json_count(json, "status.count"));
	SDK_RAISES("json.type", spk_json_names(json, "status.pods"));
	SDK_RAISES("json.type", spk_json_get_texts(json, "status.pods"));
	assert_message("t.json: 'status.pods[0]' is an object, not a text");
	SDK_RAISES("json.type", spk_json_member(spk_json_get(json, "status.pods"), "x"));
	ck_assert_ptr_nonnull(spk_json_get(json, "status.none"));
	/* What a find gives for the first two. */
	ck_assert_ptr_null(spk_json_find(json, "status.none"));
	ck_assert_ptr_null(spk_json_find(json, "status.no.more"));
	ck_assert_str_eq(spk_json_find_text(pod, "name", "otherwise"), "otherwise");
	ck_assert_str_eq(spk_json_find_text(json, "status.none.more", "otherwise"), "otherwise");
	ck_assert_ptr_null(spk_json_find_text(pod, "labels", NULL));
	ck_assert_int_eq(spk_json_find_int(json, "status.pods[7]", -1), -1);
	ck_assert(spk_json_find_bool(json, "status.pods[1].ready", true));
	SDK_RAISES("json.type", spk_json_find_text(json, "status.count", NULL));
	SDK_RAISES("json.type", spk_json_find(json, "status.count.more"));
	SDK_RAISES("json.type", spk_json_find_int(json, "status", 0));
}
END_TEST

START_TEST(a_text_that_is_no_path_is_misuse)
{
	static const char *const wrong[] = {
		".",       ".a",      "a.",  "a..b",          "a b",      "a[",
		"a[]",     "a[x]",    "a[1", "a[-1]",         "a[1]b",    "a[\"b]",
		"a[\"b\"", "a[\"b\\", "a/b", "a[1234567890]", "[\"a\"]b",
	};
	const struct spk_json *json = parse("{}");

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		SDK_RAISES("misuse", spk_json_get(json, wrong[i]));
		SDK_RAISES("misuse", spk_json_type(json, wrong[i]));
	}
	SDK_RAISES("misuse", spk_json_get(json, NULL));
	SDK_RAISES("misuse", spk_json_get(NULL, ""));
	/* Also where the way there has ended before. */
	SDK_RAISES("misuse", spk_json_find(json, "no.more["));
}
END_TEST

START_TEST(numbers_are_exact_or_refused)
{
	static const struct {
		const char *text;
		long long number;
	} whole[] = {
		{"0", 0},
		{"-0", 0},
		{"9007199254740993", 9007199254740993},
		{"9223372036854775807", LLONG_MAX},
		{"-9223372036854775808", LLONG_MIN},
		{"1.0", 1},
		{"1e3", 1000},
		{"-2.50e1", -25},
		{"9007199254740992.0", 9007199254740992},
	};
	static const char *const none[] = {
		"9223372036854775808",
		"-9223372036854775809",
		"1.5",
		"1e-1",
		"9007199254740994.0",
		"1e300",
		"1e999",
		"123456789012345678901234567890",
	};

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		ck_assert_int_eq(spk_json_get_int(parse(whole[i].text), ""), whole[i].number);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		SDK_RAISES("json.range", spk_json_get_int(parse(none[i]), ""));
		SDK_RAISES("json.range", spk_json_find_int(parse(none[i]), "", 0));
	}
	SDK_RAISES("json.range", spk_json_get_int(parse("{\"id\":9223372036854775808}"), "id"));
	assert_message("t.json: 'id' is 9223372036854775808, not a whole number of 64 bits with "
		       "sign");
	ck_assert_uint_eq(spk_json_get_unsigned(parse("18446744073709551615"), ""), ULLONG_MAX);
	ck_assert_uint_eq(spk_json_get_unsigned(parse("-0"), ""), 0);
	SDK_RAISES("json.range", spk_json_get_unsigned(parse("18446744073709551616"), ""));
	SDK_RAISES("json.range", spk_json_get_unsigned(parse("-1"), ""));
	SDK_RAISES("json.range", spk_json_get_unsigned(parse("-1.0"), ""));
	SDK_RAISES("json.range", spk_json_get_unsigned(parse("0.5"), ""));
	ck_assert_double_eq(spk_json_get_double(parse("0.1"), ""), 0.1);
	ck_assert_double_eq(spk_json_get_double(parse("9007199254740992"), ""), 9007199254740992.0);
	ck_assert_double_eq(spk_json_get_double(parse("-18446744073709551616"), ""),
			    -18446744073709551616.0);
	ck_assert_double_eq(spk_json_get_double(parse("1e300"), ""), 1e300);
	ck_assert_double_eq(spk_json_find_double(parse("{}"), "a", 2.5), 2.5);
	SDK_RAISES("json.range", spk_json_get_double(parse("9007199254740993"), ""));
	SDK_RAISES("json.range", spk_json_get_double(parse("1e309"), ""));
	ck_assert_str_eq(spk_json_get_number(parse("[1.50E+01]"), "[0]"), "1.50E+01");
	SDK_RAISES("json.type", spk_json_get_number(parse("\"1\""), ""));
}
END_TEST

START_TEST(values_are_built)
{
	struct spk_json *object = spk_json_object(spk), *array = spk_json_array(spk);

	spk_json_set_text(object, "name", "a \"b\"");
	spk_json_set_int(object, "least", LLONG_MIN);
	spk_json_set_double(object, "half", 0.5);
	spk_json_set_double(object, "tenth", 0.1);
	spk_json_set_double(object, "large", 1e300);
	spk_json_set_bool(object, "on", true);
	spk_json_set_text(object, "none", NULL);
	spk_json_set_number(object, "id", "18446744073709551615");
	spk_json_set_texts(object, "list", SPK_STRINGS("x", "y"));
	spk_json_add_int(array, 1);
	spk_json_add_text(array, "two");
	spk_json_add(array, object);
	spk_json_add(array, NULL);
	spk_json_set(object, "copy", array);
	ck_assert_str_eq(
		spk_json_encode(object),
		"{\"name\":\"a "
		"\\\"b\\\"\",\"least\":-9223372036854775808,\"half\":0.5,\"tenth\":0.1,"
		"\"large\":1e+300,\"on\":true,\"none\":null,\"id\":18446744073709551615,"
		"\"list\":[\"x\",\"y\"],\"copy\":[1,\"two\",{\"name\":\"a \\\"b\\\"\","
		"\"least\":-9223372036854775808,\"half\":0.5,\"tenth\":0.1,\"large\":1e+300,"
		"\"on\":true,\"none\":null,\"id\":18446744073709551615,\"list\":[\"x\",\"y\"]},"
		"null]}");
	ck_assert(spk_json_equal(object, parse(spk_json_encode(object))));
	/* In their place, and copies are apart. */
	spk_json_set_int(object, "name", 7);
	ck_assert(spk_json_remove(object, "least"));
	ck_assert(!spk_json_remove(object, "least"));
	ck_assert(spk_json_remove(object, "copy"));
	ck_assert_str_eq(spk_join(spk, " ", spk_json_names(object, "")),
			 "name half tenth large on none id list");
	ck_assert_int_eq(spk_json_get_int(object, "name"), 7);
	ck_assert_str_eq(spk_json_get_text(array, "[2].name"), "a \"b\"");
	SDK_RAISES("json.type", spk_json_set_int(array, "a", 1));
	SDK_RAISES("json.type", spk_json_add_int(object, 1));
	SDK_RAISES("json.type", spk_json_remove(array, "a"));
	SDK_RAISES("json.text", spk_json_set_text(object, "a", "\xff"));
	SDK_RAISES("json.text", spk_json_set_text(object, "\xff", "a"));
	SDK_RAISES("misuse", spk_json_set_double(object, "a", 1 / 0.0));
	SDK_RAISES("misuse", spk_json_set_number(object, "a", "1x"));
	SDK_RAISES("misuse", spk_json_set_number(object, "a", ""));
	SDK_RAISES("misuse", spk_json_set(object, NULL, array));
}
END_TEST

START_TEST(parts_are_changed)
{
	struct spk_json *json = parse(STATUS), *copy = spk_json_copy(spk, json);

	spk_json_set_bool(spk_json_edit(json, "status.pods[0]"), "ready", false);
	spk_json_add(spk_json_edit(json, "status.pods"), spk_json_get(json, "status.pods[0]"));
	ck_assert(!spk_json_get_bool(json, "status.pods[2].ready"));
	ck_assert_str_eq(spk_json_path(spk_json_get(json, "status.pods[2].labels")),
			 "status.pods[2].labels");
	ck_assert(spk_json_get_bool(copy, "status.pods[0].ready"));
	ck_assert(!spk_json_equal(json, copy));
	ck_assert(spk_json_equal(copy, parse(STATUS)));
	ck_assert(spk_json_equal(parse("{\"a\":1,\"b\":[2]}"), parse("{\"b\":[2],\"a\":1}")));
	ck_assert(!spk_json_equal(parse("[1,2]"), parse("[2,1]")));
	ck_assert(!spk_json_equal(parse("1"), parse("1.0")));
	ck_assert(!spk_json_equal(parse("true"), parse("false")));
	ck_assert(!spk_json_equal(parse("{\"a\":1}"), parse("{\"b\":1}")));
	SDK_RAISES("json.missing", spk_json_edit(json, "no"));
}
END_TEST

START_TEST(values_do_not_nest_without_end)
{
	struct spk_json *json = spk_json_array(spk);

	for (int i = 0; i < 500; i++) {
		struct spk_json *outer = spk_json_array(spk);

		spk_json_add(outer, json);
		json = outer;
	}
	SDK_RAISES("json.size", spk_json_add(spk_json_array(spk), json));
	SDK_RAISES("json.size", spk_json_add(json, json));
}
END_TEST

START_TEST(large_objects_have_an_index)
{
	struct spk_json *json = spk_json_object(spk);
	char name[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		spk_json_set_int(json, name, i);
	}
	for (int i = 0; i < 1000; i += 2) {
		snprintf(name, sizeof(name), "n%d", i);
		ck_assert(spk_json_remove(json, name));
		ck_assert(!spk_json_remove(json, name));
	}
	for (int i = 1; i < 1000; i += 2) {
		snprintf(name, sizeof(name), "n%d", i);
		ck_assert_int_eq(spk_json_get_int(json, name), i);
		spk_json_set_int(json, name, -i);
		ck_assert_int_eq(spk_json_get_int(json, name), -i);
		ck_assert_str_eq(spk_json_path(spk_json_get(json, name)), name);
	}
	ck_assert_uint_eq(spk_json_count(json, ""), 500);
	ck_assert(spk_json_equal(json, parse(spk_json_encode(json))));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json");
	TCase *tcase = tcase_create("json");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, NULL, sdk_end);
	tcase_add_test(tcase, what_was_read_is_written);
	tcase_add_test(tcase, what_is_no_json_is_refused);
	tcase_set_timeout(tcase, 300); /* a million values */
	tcase_add_test(tcase, too_much_is_refused);
	tcase_add_test(tcase, paths_lead_to_values);
	tcase_add_test(tcase, types_are_told);
	tcase_add_test(tcase, missing_null_and_wrong_type_are_apart);
	tcase_add_test(tcase, a_text_that_is_no_path_is_misuse);
	tcase_add_test(tcase, numbers_are_exact_or_refused);
	tcase_add_test(tcase, values_are_built);
	tcase_add_test(tcase, parts_are_changed);
	tcase_add_test(tcase, values_do_not_nest_without_end);
	tcase_add_test(tcase, large_objects_have_an_index);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
