/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C side of tests/cli/argparse_differential.py: reads tables and command lines from
 * stdin, answers on stdout what became of them. One line per object, `WORD KEY=VALUE ...`;
 * texts are in hexadecimal behind an x, lists are such texts with commas.
 */
#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/host/argument/argparse.h"
#include "../../core/runtime/argvalue.h"
#include "../../core/runtime/mem.h"

#define LIMIT 64

/* Everything of one case; memory in it lives until the next. */
struct bench {
	struct cookbook_spec spec;
	struct argparse_context context;
	struct arg_spec args[LIMIT];
	struct group_spec groups[LIMIT];
	struct subcommand_spec subcommands[LIMIT];
	struct arg_spec sub_args[LIMIT][LIMIT];
	struct rule_spec rules[LIMIT];
};

static struct {
	void **items;
	size_t count, capacity;
} kept;

static void *keep(void *memory)
{
	kept.items = xgrow(kept.items, kept.count, &kept.capacity, sizeof(*kept.items));
	kept.items[kept.count++] = memory;
	return memory;
}

static void *keep_zeroed(void *data, size_t size)
{
	return keep(xcalloc(1, size));
}

static void forget(void)
{
	while (kept.count)
		free(kept.items[--kept.count]);
}

static int nibble(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* The text behind `x` up to the next comma or blank. */
static const char *text_of(const char *hex)
{
	char *text, *end;

	if (!hex || *hex != 'x')
		return NULL;
	text = end = keep(xcalloc(strlen(hex), 1));
	for (hex++; isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1]); hex += 2)
		*end++ = (char)(nibble(hex[0]) << 4 | nibble(hex[1]));
	return text;
}

static spk_strings list_of(const char *hex)
{
	const char **items;
	spk_strings list = {0};

	if (!hex)
		return list;
	items = keep(xcalloc(strlen(hex) + 1, sizeof(*items)));
	list.items = items;
	for (; hex && *hex == 'x'; hex = *hex == ',' ? hex + 1 : NULL) {
		items[list.count++] = text_of(hex);
		hex += strcspn(hex, ", ");
	}
	return list;
}

/* The value of a key in a line, NULL when it is not there. */
static const char *value_of(const char *line, const char *key)
{
	const size_t length = strlen(key);

	for (const char *p = line; (p = strchr(p, ' ')) != NULL;) {
		p++;
		if (strncmp(p, key, length) == 0 && p[length] == '=')
			return p + length + 1;
	}
	return NULL;
}

static long long number_of(const char *line, const char *key)
{
	const char *value = value_of(line, key);

	return value ? strtoll(value, NULL, 10) : 0;
}

static double real_of(const char *line, const char *key)
{
	const char *value = value_of(line, key);

	return value ? strtod(value, NULL) : 0;
}

static void put_hex(const char *text)
{
	putchar('x');
	for (; *text; text++)
		printf("%02x", (unsigned char)*text);
}

static struct spk_bound bound_of(const char *line, const char *key)
{
	struct spk_bound bound = {0};

	if (value_of(line, key)) {
		bound.set = 1;
		bound.real = real_of(line, key);
		bound.integer = (long long)bound.real;
	}
	return bound;
}

static struct arg_spec arg_of(const char *line)
{
	return (struct arg_spec){
		.name = text_of(value_of(line, "name")),
		.help = text_of(value_of(line, "help")),
		.metavar = text_of(value_of(line, "metavar")),
		.form = (enum spk_form)number_of(line, "form"),
		.type = (enum spk_type)number_of(line, "type"),
		.arity = (enum spk_arity)number_of(line, "arity"),
		.as = (enum spk_reading)number_of(line, "as"),
		.letter = (char)number_of(line, "letter"),
		.required = number_of(line, "required"),
		.hidden = number_of(line, "hidden"),
		.repeat = number_of(line, "repeat"),
		.off = number_of(line, "off"),
		.has_default = number_of(line, "has_default"),
		.default_computed = number_of(line, "computed"),
		.names = list_of(value_of(line, "names")),
		.choices = list_of(value_of(line, "choices")),
		.choices_from = text_of(value_of(line, "choices_from")),
		.has_range = value_of(line, "first") != NULL,
		.range_first = number_of(line, "first"),
		.range_last = number_of(line, "last"),
		.min = bound_of(line, "min"),
		.max = bound_of(line, "max"),
		.pattern = text_of(value_of(line, "pattern")),
		.default_int = number_of(line, "default_int"),
		.default_double = real_of(line, "default_double"),
		.default_text = text_of(value_of(line, "default_text")),
		.default_duration = {number_of(line, "default_ns")},
		.default_list = list_of(value_of(line, "default_list")),
		.group = value_of(line, "group") ? (int)number_of(line, "group") : -1,
	};
}

static void put_strings(spk_strings list)
{
	for (size_t i = 0; i < list.count; i++) {
		printf("%s", i ? "," : "");
		put_hex(list.items[i]);
	}
}

/* What the worker would store for an argument, on one line. */
static void put_value(const struct parsed_arg *arg)
{
	const struct arg_spec *spec = arg->spec;
	const struct spk_arg row = {
		.name = spec->name,
		.form = spec->form,
		.type = spec->type,
		.arity = spec->arity,
		.as = spec->as,
		.repeat = spec->repeat,
		.off = spec->off,
		.has_default = spec->has_default,
		.default_int = spec->default_int,
		.default_double = spec->default_double,
		.default_text = spec->default_text,
		.default_duration = spec->default_duration,
		.default_list = spec->default_list,
	};
	char real[REAL_TEXT_SIZE];
	struct err err = {0};
	union {
		const char *text;
		bool flag;
		int number;
		long wide;
		long long wider;
		double real;
		spk_path path;
		spk_date date;
		spk_time time;
		spk_duration duration;
		spk_strings strings;
		spk_ints ints;
		spk_doubles doubles;
	} field = {0};

	printf("value given=%d texts=", arg->given);
	put_strings(arg->texts);
	printf(" stored=");
	if (spec->type == SPK_TYPE_CUSTOM) {
		printf("custom");
	} else if (argvalue_store(&row, arg->given, arg->texts, &field, keep_zeroed, NULL, &err)) {
		printf("failed");
	} else {
		switch (spec->type) {
		case SPK_TYPE_STRING:
		case SPK_TYPE_PATH:
			if (field.text)
				put_hex(field.text);
			else
				printf("none");
			break;
		case SPK_TYPE_FLAG:
			printf("%d", field.flag);
			break;
		case SPK_TYPE_INT:
			printf("%d", field.number);
			break;
		case SPK_TYPE_LONG:
			printf("%ld", field.wide);
			break;
		case SPK_TYPE_DOUBLE:
			real_text(field.real, real);
			printf("%s", real);
			break;
		case SPK_TYPE_STRINGS:
			put_strings(field.strings);
			break;
		case SPK_TYPE_INTS:
			for (size_t i = 0; i < field.ints.count; i++)
				printf("%s%lld", i ? "," : "", field.ints.items[i]);
			break;
		case SPK_TYPE_DOUBLES:
			for (size_t i = 0; i < field.doubles.count; i++) {
				real_text(field.doubles.items[i], real);
				printf("%s%s", i ? "," : "", real);
			}
			break;
		default:
			printf("%lld", field.wider);
			break;
		}
	}
	putchar('\n');
}

static int choices(void *data, const char *path, spk_strings *ret, struct err *err)
{
	static const char *const sites[] = {"codfw", "eqiad"};

	if (strcmp(path, "sites") != 0)
		return err_set(err, "no list '%s' in the configuration", path);
	*ret = (spk_strings){sites, 2};
	return 0;
}

static int matches(void *data, const char *pattern, const char *text, struct err *err)
{
	regmatch_t match;
	regex_t regex;
	int rc;

	if (regcomp(&regex, pattern, REG_EXTENDED) != 0)
		return err_set(err, "bad pattern '%s'", pattern);
	rc = regexec(&regex, text, 1, &match, 0) == 0 && match.rm_so == 0 &&
	     (size_t)match.rm_eo == strlen(text);
	regfree(&regex);
	return rc;
}

static void run(struct bench *bench, const char *line)
{
	spk_strings words = list_of(value_of(line, "words"));
	char **argv = keep(xcalloc(words.count + 1, sizeof(*argv)));
	struct parsed parsed;
	struct buf out = {0};
	enum argparse_outcome outcome;

	for (size_t i = 0; i < words.count; i++)
		argv[i] = keep(xstrdup(words.items[i]));
	bench->context.columns = (int)number_of(line, "columns");
	outcome = argparse(&bench->spec, &bench->context, (int)words.count, argv, &parsed, &out);
	printf("outcome %d ", outcome);
	put_hex(buf_text(&out));
	putchar('\n');
	printf("chosen task=");
	put_hex(parsed.task_id ? parsed.task_id : "-");
	printf(" reason=");
	put_hex(parsed.reason ? parsed.reason : "-");
	printf(" sub=");
	put_hex(parsed.subcommand ? parsed.subcommand->name : "");
	putchar('\n');
	for (size_t i = 0; i < parsed.arg_count; i++)
		put_value(&parsed.args[i]);
	printf("end\n");
	parsed_free(&parsed);
	buf_free(&out);
}

static void begin(struct bench *bench, const char *line)
{
	forget();
	*bench = (struct bench){
		.spec = {.title = text_of(value_of(line, "title")),
			 .description = text_of(value_of(line, "description")),
			 .args = bench->args,
			 .groups = bench->groups,
			 .rules = bench->rules,
			 .subcommands = bench->subcommands,
			 .task_id = (uint32_t)number_of(line, "task"),
			 .reason = (uint32_t)number_of(line, "reason")},
		.context = {.program = text_of(value_of(line, "program")),
			    .owner = text_of(value_of(line, "owner")),
			    .choices = choices,
			    .matches = matches},
	};
}

static void add(struct bench *bench, const char *line)
{
	struct cookbook_spec *spec = &bench->spec;

	if (strncmp(line, "group ", 6) == 0 && spec->group_count < LIMIT) {
		bench->groups[spec->group_count++] = (struct group_spec){
			.title = text_of(value_of(line, "title")),
			.description = text_of(value_of(line, "description")),
			.exclusive = number_of(line, "exclusive"),
			.required = number_of(line, "required"),
		};
	} else if (strncmp(line, "arg ", 4) == 0 && spec->arg_count < LIMIT) {
		bench->args[spec->arg_count++] = arg_of(line);
	} else if (strncmp(line, "sub ", 4) == 0 && spec->subcommand_count < LIMIT) {
		bench->subcommands[spec->subcommand_count] = (struct subcommand_spec){
			.name = text_of(value_of(line, "name")),
			.help = text_of(value_of(line, "help")),
			.args = bench->sub_args[spec->subcommand_count],
		};
		spec->subcommand_count++;
	} else if (strncmp(line, "subarg ", 7) == 0 && spec->subcommand_count) {
		const size_t last = spec->subcommand_count - 1;

		if (bench->subcommands[last].arg_count < LIMIT)
			bench->sub_args[last][bench->subcommands[last].arg_count++] = arg_of(line);
	}
}

int main(void)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "table ", 6) == 0)
			begin(bench, line);
		else if (strncmp(line, "run ", 4) == 0)
			run(bench, line);
		else
			add(bench, line);
		fflush(stdout);
	}
	forget();
	free(kept.items);
	free(bench);
	free(line);
	return EXIT_SUCCESS;
}
