/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/complete/completion.h"
#include "../../core/host/complete/shellline.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/host/argument/argcomplete.h"

#define BREAKS " \t\n\"'@><=;|&(:"

/* A line, its words with `|` between them, what is kept of the last, and how `text` is put there.
 */
static const struct {
	const char *line, *words;
	size_t kept;
	char quote;
	const char *text, *put;
} lines[] = {
	{"", "", 0, 0, "a", "a"},
	{"a b", "a|b", 0, 0, "b c", "b\\ c"},
	{"a  b ", "a|b|", 0, 0, "x$y", "x\\$y"},
	{"a 'b c", "a|b c", 0, '\'', "b c'd", "b c'\\''d"},
	{"a x'b", "a|xb", 1, '\'', "xbc", "bc"},
	{"a \"b\\\"c\\d", "a|b\"c\\d", 0, '"', "b$(c)", "b\\$(c)"},
	{"a 'b'c", "a|bc", 0, 0, "bc", "bc"},
	{"a --b=c", "a|--b=c", 4, 0, "--b=c d", "c\\ d"},
	{"a --b\\=c", "a|--b=c", 0, 0, "--b=c", "--b=c"},
	{"a '--b='c", "a|--b=c", 0, 0, "--b=c", "--b=c"},
	{"a b\\", "a|b", 0, 0, "b\\", "b\\\\"},
	{"a '' ", "a||", 0, 0, "~", "\\~"},
	{"a >b c", "a|c", 0, 0, "\xc3\xbc", "\xc3\xbc"},
	{"a 2>&1 c", "a|c", 0, 0, "c", "c"},
	{"a b:c@", "a|b:c@", 4, 0, "b:c@d", "d"},
};

START_TEST(lines_of_bash)
{
	struct buf words = {0}, out = {0};
	struct shell_line line;

	shell_line_read(lines[_i].line, BREAKS, &line);
	for (size_t i = 0; i < line.count; i++)
		buf_printf(&words, "%s%s", i ? "|" : "", line.words[i]);
	ck_assert_str_eq(buf_text(&words), lines[_i].words);
	ck_assert_uint_eq(line.kept, lines[_i].kept);
	ck_assert_int_eq(line.quote, lines[_i].quote);
	ck_assert(!line.opaque && !line.file);
	ck_assert(shell_line_put(&line, lines[_i].text, &out));
	ck_assert_str_eq(buf_text(&out), lines[_i].put);
	shell_line_free(&line);
	buf_free(&words);
	buf_free(&out);
}
END_TEST

START_TEST(what_only_bash_knows)
{
	static const char *const opaque[] = {"a $b", "a b`c", "a \"$b", "a x\"`b\"c"};
	struct shell_line line;
	struct buf out = {0};

	for (size_t i = 0; i < sizeof(opaque) / sizeof(opaque[0]); i++) {
		shell_line_read(opaque[i], BREAKS, &line);
		ck_assert_msg(line.opaque, "%s", opaque[i]);
		shell_line_free(&line);
	}
	shell_line_read("a $b '$c", BREAKS, &line);
	ck_assert(!line.opaque);
	shell_line_free(&line);
	shell_line_read("a b >", BREAKS, &line);
	ck_assert(line.file);
	shell_line_free(&line);
	shell_line_read("a \"b", BREAKS, &line);
	ck_assert(!shell_line_put(&line, "b!", &out) && !shell_line_put(&line, "b\"", &out));
	shell_line_free(&line);
	buf_free(&out);
}
END_TEST

START_TEST(only_what_can_be_shown_is_offered)
{
	static const char *const texts[] = {"xa", "x\nb", "x\033[31m", "x\xff", "x\u202e", "y", ""};
	struct completion completion = {.word = "x"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		completion_offer(&completion, texts[i], "  two\n\tlines\033 ");
	ck_assert_uint_eq(completion.count, 1);
	ck_assert_str_eq(completion.items[0].text, "xa");
	ck_assert_str_eq(completion.items[0].about, "two lines\\x1b ");
	completion_free(&completion);
}
END_TEST

/* Which arguments may have the word behind these. */
START_TEST(turns_of_positionals)
{
	static const struct arg_spec rows[] = {
		{.name = "one", .form = SPK_FORM_POSITIONAL, .type = SPK_TYPE_STRING, .group = -1},
		{.name = "some",
		 .form = SPK_FORM_POSITIONAL,
		 .type = SPK_TYPE_STRINGS,
		 .arity = SPK_ONE_OR_MORE,
		 .group = -1},
		{.name = "last", .form = SPK_FORM_POSITIONAL, .type = SPK_TYPE_STRING, .group = -1},
	};
	static const struct cookbook_spec spec = {.args = rows, .arg_count = 3};
	static const struct argparse_context context = {.program = ""};
	static const char *const words[] = {"a", "b", "c", "d"};
	static const char *const expected_names[] = {"one", "some", "some last", "some last"};

	for (size_t count = 0; count < 4; count++) {
		struct argexpected expected;
		struct buf names = {0};
		struct parser parser;
		struct err err;

		ck_assert_int_eq(parser_build(&parser, &spec, &context, &err), 0);
		argcomplete(&parser, words, count, "", &expected);
		for (size_t i = 0; i < expected.count; i++)
			buf_printf(&names, "%s%s", i ? " " : "", expected.values[i]->dest);
		ck_assert_str_eq(buf_text(&names), expected_names[count]);
		argexpected_free(&expected);
		parser_free(&parser);
		buf_free(&names);
	}
}
END_TEST

static void put_offer(void *data, const char *text, const char *about)
{
	buf_printf(data, "%s ", text);
}

/* What the parser would take for an option is offered where it would not. */
START_TEST(choices_with_a_dash)
{
	static const char *const choices[] = {"plain", "-dash", "-1", "-x y"};
	static const struct arg_spec rows[] = {
		{.name = "how",
		 .form = SPK_FORM_OPTION,
		 .type = SPK_TYPE_STRING,
		 .choices = {choices, 4},
		 .group = -1},
		{.name = "one",
		 .form = SPK_FORM_POSITIONAL,
		 .type = SPK_TYPE_STRING,
		 .choices = {choices, 4},
		 .group = -1},
	};
	static const struct cookbook_spec spec = {.args = rows, .arg_count = 2};
	static const struct argparse_context context = {.program = ""};
	static const struct {
		const char *before, *word, *offered;
	} cases[] = {
		{"--how", "", "plain -1 -x y "},
		{NULL, "", "plain -1 -x y "},
		{NULL, "--how=", "--how=plain --how=-dash --how=-1 --how=-x y "},
		{"--", "", "plain -dash -1 -x y "},
		{"--", "-d", "-dash "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct argexpected expected;
		struct buf offered = {0};
		struct parser parser;
		struct err err;

		ck_assert_int_eq(parser_build(&parser, &spec, &context, &err), 0);
		argcomplete(&parser, &cases[i].before, cases[i].before ? 1 : 0, cases[i].word,
			    &expected);
		ck_assert_uint_eq(expected.count, 1);
		argcomplete_choices(&expected, expected.values[0], cases[i].word, put_offer,
				    &offered);
		ck_assert_str_eq(buf_text(&offered), cases[i].offered);
		argexpected_free(&expected);
		parser_free(&parser);
		buf_free(&offered);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("completion");
	TCase *tcase = tcase_create("completion");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, lines_of_bash, 0, sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(tcase, what_only_bash_knows);
	tcase_add_test(tcase, only_what_can_be_shown_is_offered);
	tcase_add_test(tcase, turns_of_positionals);
	tcase_add_test(tcase, choices_with_a_dash);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
