/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/journal/event.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/host/journal/journal.h"
#include "../../core/host/journal/jsonline.h"
#include "../../core/host/journal/runid.h"
#include "../../core/host/journal/sdjournal.h"
#include "../../core/host/log/redactor.h"
#include "../../core/runtime/jsontext.h"
#include "scratch.h"

static void becomes(const char *text, const char *json)
{
	struct buf out = {0};

	json_put_text(&out, text);
	ck_assert_str_eq(buf_text(&out), json);
	buf_free(&out);
}

START_TEST(texts)
{
	becomes(NULL, "null");
	becomes("", "\"\"");
	becomes("a \"b\" \\ /", "\"a \\\"b\\\" \\\\ /\"");
	becomes("two\nlines\tand\rmore", "\"two\\nlines\\tand\\u000dmore\"");
	becomes("\033[31m\x7f", "\"\\u001b[31m\\u007f\"");
	becomes("gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\xb6", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\xb6\"");
	/* C1, an end of line, a mark of direction. */
	becomes("\xc2\x9b\xe2\x80\xa8\xe2\x80\xae", "\"\\u009b\\u2028\\u202e\"");
	becomes("\xff\xc0\x80\xed\xa0\x80", "\"\\\\xff\\\\xc0\\\\x80\\\\xed\\\\xa0\\\\x80\"");
	becomes("\xe2\x80", "\"\\\\xe2\\\\x80\"");
}
END_TEST

START_TEST(one_line)
{
	const char *words[] = {"a", "b\nc"};
	const struct event_field fields[] = {
		EVENT_TEXT("text", "x"),
		EVENT_TEXT("nothing", NULL),
		EVENT_TEXTS("words", ((spk_strings){words, 2})),
		EVENT_TEXTS("none", ((spk_strings){0})),
		EVENT_NUMBER("number", INT64_MIN),
		EVENT_SECONDS("seconds", 1500000000LL),
		EVENT_SECONDS("less", -1000LL),
		EVENT_SECONDS("least", INT64_MIN),
		EVENT_FLAG("flag", true),
	};
	struct event event = {
		.name = "test",
		.run = "20261122-153913-abcdef",
		.sequence = 7,
		.time = {.tv_sec = 1795361953, .tv_nsec = 70999999},
		.fields = fields,
		.count = sizeof(fields) / sizeof(fields[0]),
	};
	struct buf out = {0};

	event_put_json(&event, &out);
	ck_assert_str_eq(out.text,
			 "{\"schema\": 1, \"time\": \"2026-11-22T15:39:13.070999Z\", \"run\": "
			 "\"20261122-153913-abcdef\", \"sequence\": 7, \"event\": \"test\", "
			 "\"text\": \"x\", \"nothing\": null, \"words\": [\"a\", \"b\\nc\"], "
			 "\"none\": [], \"number\": -9223372036854775808, \"seconds\": 1.500000, "
			 "\"less\": -0.000001, \"least\": -9223372036.854775, \"flag\": true}\n");
	ck_assert_ptr_eq(event_find(&event, "number"), &fields[4]);
	ck_assert_ptr_null(event_find(&event, "other"));
	buf_free(&out);
}
END_TEST

static void note(void *data, const char *name, bool in_list, enum json_scalar type,
		 const char *value)
{
	static const char letters[] = {
		[JSON_TEXT] = 't',  [JSON_NUMBER] = 'n', [JSON_TRUE] = '+',
		[JSON_FALSE] = '-', [JSON_NULL] = '0',
	};

	buf_printf(data, "%s:%c:%s;", name, in_list ? 'e' : letters[type], value);
}

static const struct {
	const char *line, *members; /* NULL: it is no object of ours */
} lines[] = {
	{"{}", ""},
	{" { } ", ""},
	{"{\"a\": \"b\", \"c\":-1.5e3,\"d\":[\"x\", \"y\"], \"e\": [], \"f\": true, \"g\": false, "
	 "\"h\": null}",
	 "a:t:b;c:n:-1.5e3;d:e:x;d:e:y;f:+:true;g:-:false;h:0:null;"},
	{"{\"a\\n\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "a\n:t:\"\\/\b\f\n\r\t;"},
	{"{\"a\": \"\\u0041\\u00fc\\u20AC\\ud83c\\udf36\"}",
	 "a:t:A\xc3\xbc\xe2\x82\xac\xf0\x9f\x8c\xb6;"},
	{"{\"a\": [1, null, \"x\"]}", "a:e:x;"},
	{"", NULL},
	{"{", NULL},
	{"[]", NULL},
	{"{} x", NULL},
	{"{\"a\"}", NULL},
	{"{\"a\":}", NULL},
	{"{\"a\": 1,}", NULL},
	{"{\"a\": tru}", NULL},
	{"{\"a\": \"x}", NULL},
	{"{\"a\": \"x\n\"}", NULL},
	{"{\"a\": \"\\x\"}", NULL},
	{"{\"a\": \"\\u12\"}", NULL},
	{"{\"a\": \"\\u0000\"}", NULL},
	{"{\"a\": \"\\udc00\"}", NULL},
	{"{\"a\": \"\\ud800x\"}", NULL},
	{"{\"a\": {\"b\": 1}}", NULL},
	{"{\"a\": [[1]]}", NULL},
	{"{\"a\": [{}]}", NULL},
	{"1", NULL},
	{"{\"a\": 01}", NULL},
	{"{\"a\": \"\xff\"}", NULL},
	{"{\"a\": [1", NULL},
};

START_TEST(read_again)
{
	struct buf members = {0};
	bool good;

	/* In memory of its own length, so that a sanitizer sees who reads beyond. */
	size_t length = strlen(lines[_i].line);
	char *line = malloc(length + 1);

	ck_assert_ptr_nonnull(line);
	memcpy(line, lines[_i].line, length);
	line = realloc(line, length ? length : 1);
	ck_assert_ptr_nonnull(line);
	good = json_line_read(line, length, note, &members);
	ck_assert_msg(good == (lines[_i].members != NULL), "%s", lines[_i].line);
	if (good)
		ck_assert_str_eq(buf_text(&members), lines[_i].members);
	ck_assert(json_line_read(line, length, NULL, NULL) == good);
	free(line);
	buf_free(&members);
}
END_TEST

START_TEST(for_systemd)
{
	const char *words[] = {"a", "b\nc"};
	const struct event_field fields[] = {
		EVENT_TEXTS("words", ((spk_strings){words, 2})),
		EVENT_TEXT("nothing", NULL),
		EVENT_NUMBER("exit_code", 5),
		EVENT_TEXT("result", "FAIL"),
		EVENT_SECONDS("total", 1500000000LL),
		EVENT_FLAG("started", false),
	};
	struct event event = {
		.name = "end",
		.run = "20261122-153913-abcdef",
		.cookbook = "group.c",
		.fields = fields,
		.count = sizeof(fields) / sizeof(fields[0]),
	};
	static const char expected[] =
		"MESSAGE=run 20261122-153913-abcdef of cookbook group.c: end, FAIL\n"
		"PRIORITY=6\nSYSLOG_IDENTIFIER=cookbook\n"
		"SPICERACK_RUN=20261122-153913-abcdef\nSPICERACK_EVENT=end\n"
		"SPICERACK_COOKBOOK=group.c\nSPICERACK_WORDS=a\n"
		"SPICERACK_WORDS\n\3\0\0\0\0\0\0\0b\nc\n"
		"SPICERACK_EXIT_CODE=5\nSPICERACK_RESULT=FAIL\nSPICERACK_TOTAL=1.500000\n"
		"SPICERACK_STARTED=false\n";
	struct buf out = {0};

	sdjournal_put(&event, &out);
	ck_assert_uint_eq(out.length, sizeof(expected) - 1);
	ck_assert_int_eq(memcmp(out.text, expected, out.length), 0);
	buf_free(&out);
}
END_TEST

START_TEST(ids)
{
	char id[RUN_ID_SIZE], other[RUN_ID_SIZE];
	static const char *const none[] = {
		"",
		"20261126-021157-k3f9q",
		"20261126-021157-k3f9qzz",
		"20261126-021157-k3f9qL",
		"2026112a-021157-k3f9qz",
		"20261126_021157-k3f9qz",
		"20261126-021157-k3f9q/",
	};

	run_id_make(id);
	run_id_make(other);
	ck_assert(run_id_is_valid(id, strlen(id)));
	ck_assert_str_ne(id, other);
	ck_assert(!run_id_is_valid(id, strlen(id) - 1));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ck_assert_msg(!run_id_is_valid(none[i], strlen(none[i])), "%s", none[i]);
}
END_TEST

static void count_event(void *data, const struct event *event)
{
	const struct event_field *field = event_find(event, "text");

	++*(int *)data;
	if (field)
		ck_assert_str_eq(field->value.text, "it is ********");
}

START_TEST(a_journal)
{
	const char *words[] = {"--password=hun", "ter2", "aHVudGVyMg=="};
	const struct event_field text[] = {EVENT_TEXT("text", "it is hunter2")};
	const struct event_field split[] = {EVENT_TEXTS("words", ((spk_strings){words, 3}))};
	struct journal *journal, *inner;
	struct event_sink sink;
	int count = 0;
	struct err err;
	char *file;

	scratch_make();
	ck_assert_int_eq(redactor_add(redactor_shared(), "hunter2", &err), 0);
	ck_assert_msg(journal_open(scratch_path("a/b"), "c", NULL, true, &journal, &err) == 0, "%s",
		      err.text);
	sink = (struct event_sink){.take = count_event, .data = &count};
	journal_add_sink(journal, &sink);
	ck_assert_int_eq(journal_open(scratch_path("a/b"), "d", journal, false, &inner, &err), 0);
	ck_assert_str_ne(journal_run(journal), journal_run(inner));
	ck_assert_int_eq(journal_tell(journal, "one", text, 1, &err), 0);
	ck_assert_int_eq(journal_tell(journal, "two", split, 1, &err), 0);
	ck_assert_int_eq(journal_tell(inner, "one", text, 1, &err), 0);
	ck_assert_int_eq(journal_tell(NULL, "nobody", text, 1, &err), 0);
	ck_assert_int_eq(count, 3);
	journal_sync(journal);
	file = scratch_read(strstr(journal_path(journal), "a/b/"));
	ck_assert_ptr_null(strstr(file, "hunter2"));
	ck_assert_ptr_null(strstr(file, "aHVudGVyMg"));
	ck_assert_ptr_nonnull(
		strstr(file, "\"words\": [\"--password=hun\", \"********\", \"********\"]"));
	ck_assert_ptr_nonnull(strstr(file, "\"sequence\": 2, \"event\": \"two\""));
	free(file);
	journal_discard(inner);
	ck_assert_int_ne(access(journal_path(inner), F_OK), 0);
	journal_close(inner);
	journal_close(journal);
	scratch_remove();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("event");
	TCase *tcase = tcase_create("event");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, texts);
	tcase_add_test(tcase, one_line);
	tcase_add_loop_test(tcase, read_again, 0, (int)(sizeof(lines) / sizeof(lines[0])));
	tcase_add_test(tcase, for_systemd);
	tcase_add_test(tcase, ids);
	tcase_add_test(tcase, a_journal);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
