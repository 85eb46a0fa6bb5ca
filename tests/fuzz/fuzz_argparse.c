/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines for a few tables: the first byte chooses the table, the second the
 * width, the rest are words that end in NUL. What parses is stored as a worker would.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/cookbook.h>

#include "../../core/host/argument/argparse.h"
#include "../../core/runtime/argvalue.h"
#include "../../core/runtime/mem.h"

#define MOST_WORDS 64

static const struct group_spec groups[] = {
	{.exclusive = true, .required = true},
	{.title = "tuning", .description = "Careful."},
	{.exclusive = true},
};

#define POSITIONAL(name_, type_, group_, ...)                                                      \
	{                                                                                          \
		.name = (name_), .form = SPK_FORM_POSITIONAL, .type = (type_), .group = (group_),  \
		.help = "about " name_, ##__VA_ARGS__                                              \
	}
#define OPTION(name_, letter_, type_, group_, ...)                                                 \
	{                                                                                          \
		.name = (name_), .form = SPK_FORM_OPTION, .letter = (letter_), .type = (type_),    \
		.group = (group_), .help = "about " name_, ##__VA_ARGS__                           \
	}

static const struct arg_spec typed[] = {
	OPTION("int", 'i', SPK_TYPE_INT, -1, .has_range = true, .range_first = -3, .range_last = 9),
	OPTION("long", 'l', SPK_TYPE_LONG, -1, .min = SPK_BOUND_(2)),
	OPTION("real", 'd', SPK_TYPE_DOUBLE, -1, .max = SPK_BOUND_(2.5), .has_default = true,
	       .default_double = 0.1),
	OPTION("path", 'p', SPK_TYPE_PATH, -1),
	OPTION("date", 'D', SPK_TYPE_DATE, -1),
	OPTION("time", 'T', SPK_TYPE_TIME, -1),
	OPTION("grace", 'g', SPK_TYPE_DURATION, -1, .min = SPK_BOUND_(1), .has_default = true,
	       .default_duration = {90000000000}),
	OPTION("strings", 's', SPK_TYPE_STRINGS, -1, .as = SPK_COMMA_LIST,
	       .choices = SPK_LIST("a", "b", "it's")),
	OPTION("ints", 'n', SPK_TYPE_INTS, -1, .repeat = true),
	OPTION("doubles", 'x', SPK_TYPE_DOUBLES, -1, .arity = SPK_ZERO_OR_MORE),
	OPTION("flag", 'f', SPK_TYPE_FLAG, -1),
	OPTION("upper", 'u', SPK_TYPE_STRING, -1, .as = SPK_UPPER, .pattern = "."),
};

static const struct arg_spec grouped[] = {
	POSITIONAL("where", SPK_TYPE_STRING, 0, .arity = SPK_ZERO_OR_ONE),
	OPTION("alias", 'a', SPK_TYPE_STRING, 0),
	OPTION("query", 'q', SPK_TYPE_STRING, 0, .hidden = true),
	OPTION("one", '1', SPK_TYPE_FLAG, 2),
	OPTION("two", '2', SPK_TYPE_STRING, 2, .arity = SPK_ZERO_OR_ONE),
	OPTION("slow", 0, SPK_TYPE_FLAG, 1, .off = true, .names = SPK_LIST("-single", "--yes")),
	POSITIONAL("rest", SPK_TYPE_STRINGS, -1, .arity = SPK_ZERO_OR_MORE),
	POSITIONAL("last", SPK_TYPE_STRINGS, -1),
};

static const struct arg_spec few[] = {
	OPTION("cluster", 'c', SPK_TYPE_STRING, -1, .required = true),
	POSITIONAL("site", SPK_TYPE_STRING, -1, .choices = SPK_LIST("codfw", "eqiad")),
};

static const struct subcommand_spec subcommands[] = {
	{.name = "start", .help = "Start it", .args = typed, .arg_count = 12},
	{.name = "stop", .args = grouped, .arg_count = 8},
};

static const struct rule_spec rules[] = {
	{.kind = SPK_RULE_REQUIRES, .first = &typed[0], .second = &typed[1]},
	{.kind = SPK_RULE_CONFLICTS, .first = &typed[2], .second = &typed[3]},
	{.kind = SPK_RULE_DIFFER, .first = &typed[4], .second = &typed[5]},
	{.kind = SPK_RULE_REQUIRED_IF, .first = &typed[10], .second = &typed[6], .value = "true"},
	{.kind = SPK_RULE_REQUIRED_UNLESS, .first = &typed[0], .second = &typed[8], .value = "3"},
};

#define COMMON .title = "Fuzz", .groups = groups, .group_count = 3

static const struct cookbook_spec tables[] = {
	{COMMON, .args = typed, .arg_count = 12, .rules = rules, .rule_count = 5},
	{COMMON, .args = grouped, .arg_count = 8, .task_id = SPK_ACCEPTED, .reason = SPK_REQUIRED},
	{COMMON, .args = few, .arg_count = 2, .subcommands = subcommands, .subcommand_count = 2,
	 .task_id = SPK_REQUIRED, .rules = rules, .rule_count = 5},
};

static int matches(void *data, const char *pattern, const char *text, struct err *err)
{
	return text[0] && !text[1];
}

static void *allocate(void *data, size_t size)
{
	void **list = data, **block = xcalloc(1, sizeof(void *) * 2 + size);

	block[0] = *list;
	*list = block;
	return block + 2;
}

static void store(const struct parsed_arg *arg)
{
	const struct spk_arg row = {.name = arg->spec->name,
				    .type = arg->spec->type,
				    .arity = arg->spec->arity,
				    .as = arg->spec->as,
				    .has_default = arg->spec->has_default,
				    .default_double = arg->spec->default_double,
				    .default_duration = arg->spec->default_duration};
	max_align_t field[4];
	struct err err;
	void *list = NULL;

	if (argvalue_store(&row, arg->given, arg->texts, field, allocate, &list, &err) < 0)
		abort();
	while (list) {
		void **block = list;

		list = block[0];
		free(block);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct argparse_context context = {
		.program = "cookbook [GLOBAL_ARGS] fuzz", .owner = "infra", .matches = matches};
	char *argv[MOST_WORDS], *text, *p;
	struct parsed parsed;
	struct buf out = {0};
	enum argparse_outcome outcome;
	int argc = 0;

	if (size < 2)
		return 0;
	text = p = xcalloc(size, 1);
	memcpy(text, data + 2, size - 2);
	context.columns = data[1] - 8;
	for (; p < text + size - 1 && argc < MOST_WORDS; p += strlen(p) + 1)
		argv[argc++] = p;
	outcome = argparse(&tables[data[0] % 3], &context, argc, argv, &parsed, &out);
	if (outcome == ARGPARSE_BROKEN)
		abort();
	for (const char *c = buf_text(&out); *c; c++) {
		if ((*c > 0 && *c < ' ' && *c != '\n') || *c == 0x7f)
			abort();
	}
	for (size_t i = 0; i < parsed.arg_count; i++)
		store(&parsed.args[i]);
	parsed_free(&parsed);
	buf_free(&out);
	free(text);
	return 0;
}
