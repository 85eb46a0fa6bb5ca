/* SPDX-License-Identifier: Apache-2.0 */
#include "subcommand.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "../log/columns.h"
#include "../run/outcome.h"

static const struct parsed_arg *find(const struct parsed *parsed, const struct arg_spec *row)
{
	for (size_t i = 0; i < parsed->arg_count; i++)
		if (strcmp(parsed->args[i].spec->name, row->name) == 0)
			return &parsed->args[i];
	return NULL;
}

const char *subcommand_text(const struct parsed *parsed, const struct arg_spec *row)
{
	const struct parsed_arg *arg = find(parsed, row);

	return arg && arg->texts.count > 0 ? arg->texts.items[arg->texts.count - 1] : NULL;
}

bool subcommand_is_given(const struct parsed *parsed, const struct arg_spec *row)
{
	const struct parsed_arg *arg = find(parsed, row);

	return arg && arg->given;
}

int subcommand_vcomplain(const char *command, const char *name, const char *format, va_list args)
{
	struct buf text = {0}, shown = {0};

	buf_vprintf(&text, format, args);
	printable_add(&shown, buf_text(&text), text.length);
	fprintf(stderr, "spicerack %s %s: error: %s\n", command, name, buf_text(&shown));
	buf_free(&text);
	buf_free(&shown);
	return EXIT_STARTUP;
}

int subcommand_complain(const char *command, const char *name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	subcommand_vcomplain(command, name, format, args);
	va_end(args);
	return EXIT_STARTUP;
}

bool subcommand_reason_is_good(const char *command, const char *name, const char *reason)
{
	if (!reason || (*reason && strlen(reason) <= REASON_MAX))
		return true;
	subcommand_complain(command, name,
			    "argument --reason: must not be empty nor longer than %d bytes",
			    REASON_MAX);
	return false;
}

void subcommand_table_fill(const struct subcommand *subcommand, struct subcommand_table *ret)
{
	ret->spec = (struct cookbook_spec){.title = subcommand->help, .args = ret->rows};
	while (ret->spec.arg_count < SUBCOMMAND_ROWS_MAX && subcommand->rows[ret->spec.arg_count]) {
		ret->rows[ret->spec.arg_count] = *subcommand->rows[ret->spec.arg_count];
		ret->spec.arg_count++;
	}
}

bool command_read(const char *program, const struct cookbook_spec *words, int argc, char **argv,
		  struct parsed *ret, int *ret_code)
{
	struct argparse_context context = {
		.program = program, .plain_help = true, .columns = columns_for_help()};
	struct buf out = {0};
	enum argparse_outcome outcome;

	*ret = (struct parsed){0};
	outcome = argparse(words, &context, argc, argv, ret, &out);
	*ret_code = outcome == ARGPARSE_OK || outcome == ARGPARSE_HELP ? EXIT_OK : EXIT_USAGE;
	if (outcome != ARGPARSE_OK)
		fputs(buf_text(&out), *ret_code ? stderr : stdout);
	buf_free(&out);
	return outcome == ARGPARSE_OK;
}

static int parse(const struct subcommands *subcommands, const struct subcommand *subcommand,
		 int argc, char **argv)
{
	struct subcommand_table table;
	char *program = xasprintf("spicerack %s %s", subcommands->command, subcommand->name);
	struct parsed parsed;
	int code;

	subcommand_table_fill(subcommand, &table);
	if (command_read(program, &table.spec, argc, argv, &parsed, &code))
		code = subcommands->act(subcommand, &parsed);
	else if (code == EXIT_OK && subcommand->explain)
		subcommand->explain(stdout);
	parsed_free(&parsed);
	free(program);
	return code;
}

static void help(const struct subcommands *subcommands, FILE *out)
{
	fprintf(out, "usage: spicerack %s [-h] {", subcommands->command);
	for (size_t i = 0; i < subcommands->count; i++)
		fprintf(out, "%s%s", i ? "," : "", subcommands->items[i].name);
	fprintf(out, "} ...\n\n%s\n\ncommands:\n", subcommands->about);
	for (size_t i = 0; i < subcommands->count; i++)
		fprintf(out, "  %-20s  %s\n", subcommands->items[i].name,
			subcommands->items[i].help);
	fputs("\noptions:\n  -h, --help            show this help message and exit\n", out);
}

int subcommands_run(const struct subcommands *subcommands, int argc, char **argv)
{
	char shown[PRINTABLE_PATH_SIZE];

	if (argc < 1) {
		help(subcommands, stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "--help") == 0) {
		help(subcommands, stdout);
		return EXIT_OK;
	}
	for (size_t i = 0; i < subcommands->count; i++) {
		const struct subcommand *subcommand = &subcommands->items[i];

		if (strcmp(argv[0], subcommand->name) != 0)
			continue;
		return subcommand->forward ? subcommand->forward(argc - 1, argv + 1)
					   : parse(subcommands, subcommand, argc - 1, argv + 1);
	}
	help(subcommands, stderr);
	fprintf(stderr, "spicerack %s: error: there is no command '%s'\n", subcommands->command,
		printable_path(argv[0], shown));
	return EXIT_USAGE;
}
