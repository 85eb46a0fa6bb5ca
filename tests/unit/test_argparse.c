/* SPDX-License-Identifier: Apache-2.0 */
/* What has no model in Python's argparse; the rest is compared in tests/cli. */
#include "../../core/host/argument/argparse.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/cookbook.h>

#define OPTION(name_, type_, ...)                                                                  \
	{                                                                                          \
		.name = (name_), .form = SPK_FORM_OPTION, .type = (type_), .group = -1,            \
		##__VA_ARGS__                                                                      \
	}
#define POSITIONAL(name_, type_, ...)                                                              \
	{                                                                                          \
		.name = (name_), .form = SPK_FORM_POSITIONAL, .type = (type_), .group = -1,        \
		##__VA_ARGS__                                                                      \
	}

static int choices(void *data, const char *path, spk_strings *ret, struct err *err)
{
	static const char *const sites[] = {"codfw", "eqiad"};

	if (strcmp(path, "sites.core") != 0)
		return err_set(err, "no list '%s' in the configuration", path);
	*ret = (spk_strings){sites, 2};
	return 0;
}

static int matches(void *data, const char *pattern, const char *text, struct err *err)
{
	return strcmp(pattern, "(") == 0 ? err_set(err, "bad pattern '('") : text[0] == 'A';
}

static const struct argparse_context context = {
	.program = "cookbook [GLOBAL_ARGS] a.b",
	.owner = "infra",
	.columns = 78,
	.choices = choices,
	.matches = matches,
};

static struct parsed parsed;
static struct buf out;

#define PARSE(spec, ...) parse(spec, (const char *const[]){__VA_ARGS__, NULL})

static enum argparse_outcome parse(const struct cookbook_spec *spec, const char *const *words)
{
	static char *argv[32];
	int argc = 0;

	parsed_free(&parsed);
	buf_clear(&out);
	for (; words[argc]; argc++) {
		free(argv[argc]);
		argv[argc] = strdup(words[argc]);
	}
	return argparse(spec, &context, argc, argv, &parsed, &out);
}

/* The message of a usage error. */
static const char *message(void)
{
	const char *mark = strstr(buf_text(&out), "error: ");

	return mark ? mark + 7 : buf_text(&out);
}

static void finish(void)
{
	parsed_free(&parsed);
	buf_free(&out);
}

START_TEST(helps_as_a_whole)
{
	static const struct arg_spec args[] = {
		POSITIONAL("service", SPK_TYPE_STRING, .help = "discovery service to act on"),
		POSITIONAL("datacenter", SPK_TYPE_STRING, .choices_from = "sites.core"),
		OPTION("grace", SPK_TYPE_DURATION, .letter = 'g', .has_default = true,
		       .default_duration = {120000000000}, .help = "wait this long"),
	};
	static const struct cookbook_spec spec = {
		.title = "Pool a service", .description = "More.", .args = args, .arg_count = 3};

	ck_assert_int_eq(PARSE(&spec, "-h"), ARGPARSE_HELP);
	ck_assert_str_eq(buf_text(&out),
			 "usage: cookbook [GLOBAL_ARGS] a.b [-h] [-g GRACE] service {codfw,eqiad}\n"
			 "\n"
			 "Pool a service\n"
			 "\n"
			 "More.\n"
			 "\n"
			 "positional arguments:\n"
			 "  service               discovery service to act on\n"
			 "  {codfw,eqiad}\n"
			 "\n"
			 "options:\n"
			 "  -h, --help            show this help message and exit\n"
			 "  -g GRACE, --grace GRACE\n"
			 "                        wait this long (default: 2m)\n"
			 "\n"
			 "Cookbook owner team: infra\n");
	ck_assert_int_eq(PARSE(&spec, "x", "mars"), ARGPARSE_USAGE);
	ck_assert_str_eq(message(), "argument datacenter: invalid choice: 'mars' "
				    "(choose from 'codfw', 'eqiad')\n");
	finish();
}
END_TEST

START_TEST(judges_bounds_and_patterns)
{
	static const struct arg_spec args[] = {
		OPTION("n", SPK_TYPE_INT, .min = SPK_BOUND_(1)),
		OPTION("ratio", SPK_TYPE_DOUBLE, .max = SPK_BOUND_(2.5)),
		OPTION("wait", SPK_TYPE_DURATION, .min = SPK_BOUND_(60)),
		OPTION("rack", SPK_TYPE_STRING, .pattern = "A.*", .as = SPK_UPPER),
	};
	static const struct cookbook_spec spec = {.args = args, .arg_count = 4};

	ck_assert_int_eq(PARSE(&spec, "--n", "0"), ARGPARSE_USAGE);
	ck_assert_str_eq(message(), "argument --n: invalid value: 0 (must be at least 1)\n");
	ck_assert_int_eq(PARSE(&spec, "--ratio", "3"), ARGPARSE_USAGE);
	ck_assert_str_eq(message(), "argument --ratio: invalid value: 3.0 (must be at most 2.5)\n");
	ck_assert_int_eq(PARSE(&spec, "--wait", "59s"), ARGPARSE_USAGE);
	ck_assert_str_eq(message(),
			 "argument --wait: invalid value: '59s' (must be at least 1m)\n");
	ck_assert_int_eq(PARSE(&spec, "--rack", "x"), ARGPARSE_USAGE);
	ck_assert_str_eq(message(), "argument --rack: invalid value: 'X' (must match A.*)\n");
	ck_assert_int_eq(PARSE(&spec, "--rack", "a1", "--n", "1", "--wait", "1m"), ARGPARSE_OK);
	ck_assert_uint_eq(parsed.arg_count, 4);
	ck_assert_str_eq(parsed.args[3].texts.items[0], "a1");
	ck_assert(!parsed.args[1].given);
	finish();
}
END_TEST

START_TEST(asks_for_task_and_reason)
{
	static const struct cookbook_spec accepted = {.task_id = SPK_ACCEPTED,
						      .reason = SPK_ACCEPTED};
	static const struct cookbook_spec required = {.task_id = SPK_REQUIRED,
						      .reason = SPK_REQUIRED};
	static const struct cookbook_spec absent = {.task_id = SPK_ABSENT};

	ck_assert_int_eq(PARSE(&accepted, "-t", ""), ARGPARSE_OK);
	ck_assert_str_eq(parsed.task_id, "");
	ck_assert_str_eq(parsed.reason, "");
	ck_assert_int_eq(PARSE(&required, "-t", ""), ARGPARSE_USAGE);
	ck_assert_str_eq(message(), "argument -t/--task-id: invalid task ID: '' "
				    "(must be T followed by 1 to 6 digits)\n");
	ck_assert_int_eq(PARSE(&required, "-tT123", "-r", "a \"b\""), ARGPARSE_USAGE);
	ck_assert_str_eq(message(), "argument -r/--reason: invalid reason: 'a \"b\"' "
				    "(must not hold a double quote)\n");
	ck_assert_int_eq(PARSE(&required, "-tT1234567"), ARGPARSE_USAGE);
	ck_assert_int_eq(PARSE(&required, "-tT123", "-r", "why"), ARGPARSE_OK);
	ck_assert_str_eq(parsed.task_id, "T123");
	ck_assert_str_eq(parsed.reason, "why");
	ck_assert_int_eq(PARSE(&absent, "--"), ARGPARSE_USAGE);
	ck_assert_str_eq(message(), "unrecognized arguments: --\n");
	ck_assert_ptr_null(parsed.task_id);
	finish();
}
END_TEST

START_TEST(keeps_rules)
{
	static const struct arg_spec args[] = {
		OPTION("a", SPK_TYPE_STRING),
		OPTION("b", SPK_TYPE_STRING, .has_default = true, .default_text = "x"),
		OPTION("c", SPK_TYPE_FLAG),
	};
	static const struct rule_spec rules[] = {
		{.kind = SPK_RULE_REQUIRES, .first = &args[0], .second = &args[1]},
		{.kind = SPK_RULE_CONFLICTS, .first = &args[0], .second = &args[2]},
		{.kind = SPK_RULE_DIFFER, .first = &args[0], .second = &args[1]},
		{.kind = SPK_RULE_REQUIRED_IF, .first = &args[1], .second = &args[2], .value = "v"},
		{.kind = SPK_RULE_REQUIRED_UNLESS,
		 .first = &args[1],
		 .second = &args[0],
		 .value = "x"},
	};
	struct cookbook_spec spec = {.args = args, .arg_count = 3, .rule_count = 1};

	spec.rules = &rules[0];
	ck_assert_int_eq(PARSE(&spec, "--a", "1"), ARGPARSE_USAGE);
	ck_assert_str_eq(message(), "argument --b: required with argument --a\n");
	spec.rules = &rules[1];
	ck_assert_int_eq(PARSE(&spec, "--a", "1", "--c"), ARGPARSE_USAGE);
	ck_assert_str_eq(message(), "argument --c: not allowed with argument --a\n");
	spec.rules = &rules[2];
	ck_assert_int_eq(PARSE(&spec, "--a", "x"), ARGPARSE_USAGE);
	ck_assert_str_eq(message(), "argument --b: must differ from argument --a\n");
	ck_assert_int_eq(PARSE(&spec, "--c"), ARGPARSE_OK);
	spec.rules = &rules[3];
	ck_assert_int_eq(PARSE(&spec, "--b", "v"), ARGPARSE_USAGE);
	ck_assert_str_eq(message(), "argument --c: required when argument --b is 'v'\n");
	spec.rules = &rules[4];
	ck_assert_int_eq(PARSE(&spec, "--b", "v"), ARGPARSE_USAGE);
	ck_assert_str_eq(message(), "argument --a: required unless argument --b is 'x'\n");
	ck_assert_int_eq(PARSE(&spec, "--c"), ARGPARSE_OK);
	finish();
}
END_TEST

START_TEST(reports_broken_tables)
{
	static const struct arg_spec missing[] = {
		POSITIONAL("site", SPK_TYPE_STRING, .choices_from = "sites.none")};
	static const struct arg_spec taken[] = {OPTION("x", SPK_TYPE_FLAG, .letter = 'h')};
	static const struct arg_spec percent[] = {OPTION("x", SPK_TYPE_FLAG, .help = "100% sure")};
	static const struct arg_spec pattern[] = {OPTION("x", SPK_TYPE_STRING, .pattern = "(")};
	static const struct arg_spec huge[] = {OPTION("x", SPK_TYPE_LLONG, .has_range = true,
						      .range_first = INT64_MIN,
						      .range_last = INT64_MAX)};
	static const struct {
		const struct arg_spec *args;
		const char *word, *reason;
	} cases[] = {
		{missing, "--", "argument site: no list 'sites.none' in the configuration"},
		{taken, "--", "argument -h/--x: conflicting option string: -h"},
		{percent, "-h",
		 "cannot expand the help text at '% sure (default: %(d' (a percent sign is %%)"},
		{pattern, "--x=1", "bad pattern '('"},
		{huge, "--", "argument --x: the range of choices is too large"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct cookbook_spec spec = {.args = cases[i].args, .arg_count = 1};

		ck_assert_int_eq(PARSE(&spec, cases[i].word), ARGPARSE_BROKEN);
		ck_assert_str_eq(buf_text(&out), cases[i].reason);
	}
	finish();
}
END_TEST

START_TEST(never_echoes_control_characters)
{
	static const struct cookbook_spec spec = {.title = "x"};

	ck_assert_int_eq(PARSE(&spec, "\x1b[31m", "\xff", "it's \xc3\xa9", "\n"), ARGPARSE_USAGE);
	ck_assert_str_eq(message(), "unrecognized arguments: \\x1b[31m \\xff it's \xc3\xa9 \\n\n");
	finish();
}
END_TEST

START_TEST(takes_dashes_as_values)
{
	static const struct arg_spec args[] = {POSITIONAL("a", SPK_TYPE_STRING),
					       POSITIONAL("b", SPK_TYPE_STRING),
					       OPTION("c", SPK_TYPE_STRING)};
	static const struct cookbook_spec spec = {.args = args, .arg_count = 3};

	ck_assert_int_eq(PARSE(&spec, "--c=--", "x", "--", "--"), ARGPARSE_OK);
	ck_assert_str_eq(parsed.args[1].texts.items[0], "--");
	ck_assert_str_eq(parsed.args[2].texts.items[0], "--");
	finish();
}
END_TEST

START_TEST(serves_refusals_of_the_worker)
{
	static const struct arg_spec args[] = {OPTION("n", SPK_TYPE_INT)};
	static const struct subcommand_spec subcommands[] = {
		{.name = "list", .args = args, .arg_count = 1}};
	static const struct cookbook_spec spec = {.subcommands = subcommands,
						  .subcommand_count = 1};

	argparse_usage_error(&spec, &context, NULL, "no such host", &out);
	ck_assert_str_eq(buf_text(&out), "usage: cookbook [GLOBAL_ARGS] a.b [-h] {list} ...\n"
					 "cookbook [GLOBAL_ARGS] a.b: error: no such host\n");
	buf_clear(&out);
	argparse_usage_error(&spec, &context, &subcommands[0], "no", &out);
	ck_assert_str_eq(buf_text(&out), "usage: cookbook [GLOBAL_ARGS] a.b list [-h] [--n N]\n"
					 "cookbook [GLOBAL_ARGS] a.b list: error: no\n");
	ck_assert_int_eq(PARSE(&spec, "list", "--n", "3"), ARGPARSE_OK);
	ck_assert_ptr_eq(parsed.subcommand, &subcommands[0]);
	ck_assert_ptr_eq(parsed.args[0].spec, &args[0]);
	finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("argparse");
	TCase *tcase = tcase_create("argparse");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, helps_as_a_whole);
	tcase_add_test(tcase, judges_bounds_and_patterns);
	tcase_add_test(tcase, asks_for_task_and_reason);
	tcase_add_test(tcase, keeps_rules);
	tcase_add_test(tcase, reports_broken_tables);
	tcase_add_test(tcase, never_echoes_control_characters);
	tcase_add_test(tcase, takes_dashes_as_values);
	tcase_add_test(tcase, serves_refusals_of_the_worker);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
