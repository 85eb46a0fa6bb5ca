/* SPDX-License-Identifier: Apache-2.0 */
#include "check_command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../runtime/buf.h"
#include "../../runtime/jsontext.h"
#include "../../runtime/mem.h"
#include "../argument/argparse.h"
#include "../argument/argtext.h"
#include "../check/check.h"
#include "../log/columns.h"
#include "../run/outcome.h"
#include "../setting/settings.h"
#include "subcommand.h"

#define PROGRAM "spicerack check"
#define LIST_WIDTH 96

/* The command line; read by the same parser as the arguments of a cookbook. */
struct command_line {
	const char *config_file;
	spk_strings tree, allow, paths;
	bool strict, json, list;
};

enum option { CONFIG_FILE, TREE, ALLOW, STRICT, JSON, LIST, PATHS, OPTION_COUNT };

#define OPTION(id, field, letter_, type_, ...)                                                     \
	[id] = {.name = #field,                                                                    \
		.form = SPK_FORM_OPTION,                                                           \
		.type = (type_),                                                                   \
		.letter = (letter_),                                                               \
		.offset = offsetof(struct command_line, field),                                    \
		.group = -1,                                                                       \
		__VA_ARGS__}

static const struct arg_spec arguments[OPTION_COUNT] = {
	OPTION(CONFIG_FILE, config_file, 'c', SPK_TYPE_STRING, .metavar = "FILE",
	       .meaning = ARG_FILE, .help = "read this configuration file instead of all others"),
	OPTION(TREE, tree, 0, SPK_TYPE_STRINGS, .repeat = true, .metavar = "DIR",
	       .meaning = ARG_DIRECTORY,
	       .help = "look for cookbooks that others run here, too; may be repeated"),
	OPTION(ALLOW, allow, 0, SPK_TYPE_STRINGS, .repeat = true, .metavar = "NAME",
	       .meaning = ARG_FINDING,
	       .help = "do not tell findings of this name; may be repeated"),
	OPTION(STRICT, strict, 'W', SPK_TYPE_FLAG, .help = "fail for warnings, too"),
	OPTION(JSON, json, 0, SPK_TYPE_FLAG, .help = "write one JSON document, see spicerack(1)"),
	OPTION(LIST, list, 0, SPK_TYPE_FLAG, .help = "list all that can be found, and exit"),
	[PATHS] = {.name = "PATH",
		   .form = SPK_FORM_POSITIONAL,
		   .type = SPK_TYPE_STRINGS,
		   .arity = SPK_ZERO_OR_MORE,
		   .offset = offsetof(struct command_line, paths),
		   .group = -1,
		   .meaning = ARG_FILE,
		   .help = "the file of a cookbook, or the base directory of a tree"},
};

const struct cookbook_spec check_words = {
	.title = "Tells what a packager must know before shipping cookbooks; executes nothing of "
		 "them.",
	.description = "Exits with 1 when there are errors, with --strict also for warnings.",
	.args = arguments,
	.arg_count = OPTION_COUNT,
};

static const struct argparse_context *context(void)
{
	static struct argparse_context context = {.program = PROGRAM, .plain_help = true};

	context.columns = columns_for_help();
	return &context;
}

static bool given(const struct parsed *parsed, enum option option)
{
	return parsed->args[option].given;
}

/* What is told of the findings. */
struct telling {
	bool allowed[FINDING_KINDS];
	bool json;
	size_t counts[3]; /* by severity */
};

/* Telling */

static void put_json(struct buf *out, const struct finding *finding)
{
	const struct finding_row *row = finding_row(finding->kind);
	const struct {
		const char *key, *value;
	} members[] = {
		{"file", finding->file},     {"severity", finding_severity_text(row->severity)},
		{"name", row->name},         {"cookbook", finding->cookbook},
		{"symbol", finding->symbol}, {"source", finding->source},
		{"text", finding->text},     {"remedy", finding->remedy},
	};

	buf_putc(out, '{');
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		json_put_member(out, members[i].key, *members[i].value ? members[i].value : NULL);
		buf_puts(out, ", ");
	}
	if (finding->line)
		buf_printf(out, "\"line\": %u}", finding->line);
	else
		buf_puts(out, "\"line\": null}");
}

static void put_line(struct buf *out, const struct finding *finding)
{
	const struct finding_row *row = finding_row(finding->kind);

	buf_printf(out, "%s: %s: %s: ", finding->file, finding_severity_text(row->severity),
		   row->name);
	if (*finding->source)
		buf_printf(out, "%s:%u: ", finding->source, finding->line);
	if (*finding->cookbook)
		buf_printf(out, "%s: ", finding->cookbook);
	buf_printf(out, "%s (%s)\n", finding->text, finding->remedy);
}

static void put_needs(struct buf *out, const struct driver_needs *needs)
{
	const char *between = "";

	buf_putc(out, '[');
	for (size_t i = 0; i < needs->count; i++) {
		buf_printf(out, "%s\"%s\"", between, needs->items[i].kind);
		between = ", ";
	}
	buf_putc(out, ']');
}

/* Tells all that is not allowed and counts it. */
static void tell(struct telling *telling, struct check *check, struct buf *out)
{
	const struct findings *findings = check_findings(check);
	const size_t *counts = telling->counts;
	struct buf lines = {0};

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		if (telling->allowed[finding->kind])
			continue;
		telling->counts[finding_row(finding->kind)->severity]++;
		if (telling->json) {
			buf_puts(&lines, lines.length ? ",\n  " : "\n  ");
			put_json(&lines, finding);
		} else {
			put_line(&lines, finding);
		}
	}
	if (telling->json) {
		buf_printf(out,
			   "{\"version\": 1, \"files\": %zu, \"errors\": %zu, \"warnings\": %zu, "
			   "\"notes\": %zu, \"drivers\": ",
			   check_files(check), counts[FINDING_ERROR], counts[FINDING_WARNING],
			   counts[FINDING_NOTE]);
		put_needs(out, check_needs(check));
		buf_printf(out, ", \"findings\": [%s%s]}\n", buf_text(&lines),
			   lines.length ? "\n" : "");
	} else {
		buf_puts(out, buf_text(&lines));
	}
	buf_free(&lines);
}

static int write_out(const struct buf *out)
{
	if (fwrite(buf_text(out), 1, out->length, stdout) == out->length && fflush(stdout) == 0)
		return 0;
	fprintf(stderr, PROGRAM ": error: cannot write: %s\n", strerrordesc_np(errno));
	return -1;
}

/* The table of findings, as it is in the pages. */
static int list_findings(void)
{
	struct buf out = {0};
	int rc;

	for (int kind = FINDING_NONE + 1; kind < FINDING_KINDS; kind++) {
		const struct finding_row *row = finding_row((enum finding_kind)kind);
		char *text = xasprintf("%s. Remedy: %s.", row->meaning, row->remedy);

		buf_printf(&out, "%s (%s)\n", row->name, finding_severity_text(row->severity));
		argtext_wrap(&out, text, LIST_WIDTH - 4, 4, 4);
		free(text);
	}
	rc = write_out(&out);
	buf_free(&out);
	return rc < 0 ? EXIT_FAILURE : EXIT_OK;
}

/* Checking */

static bool is_one_of(const char *const *directories, size_t count, const char *directory)
{
	struct stat st, other;

	if (stat(directory, &st) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (stat(directories[i], &other) == 0 && other.st_dev == st.st_dev &&
		    other.st_ino == st.st_ino)
			return true;
	return false;
}

/* One that is given and configured, too, has each finding once. */
static spk_strings all_trees(spk_strings more, const struct settings *settings)
{
	spk_strings configured = settings_strings(settings, "cookbooks_base_dirs");
	const char **trees = xcalloc(more.count + configured.count, sizeof(*trees));
	size_t count = 0;

	for (size_t i = 0; i < more.count + configured.count; i++) {
		const char *tree = i < more.count ? more.items[i]
						  : configured.items[i - more.count];

		if (!is_one_of(trees, count, tree))
			trees[count++] = tree;
	}
	return (spk_strings){.items = trees, .count = count};
}

static void check_path(struct check *check, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		check_tree(check, path);
	else
		check_file(check, path);
}

/* "1 error, 2 warnings" on standard error; nothing when there is nothing to say. */
static void summarize(const size_t *counts)
{
	const char *between = "";

	for (int i = FINDING_ERROR; i <= FINDING_NOTE; i++) {
		if (!counts[i])
			continue;
		fprintf(stderr, "%s%zu %s%s", between, counts[i],
			finding_severity_text((enum finding_severity)i), counts[i] > 1 ? "s" : "");
		between = ", ";
	}
	if (*between)
		fputc('\n', stderr);
}

static int check_paths(const struct parsed *parsed, struct telling *telling)
{
	spk_strings file = parsed->args[CONFIG_FILE].texts, paths = parsed->args[PATHS].texts,
		    trees;
	const size_t *counts = telling->counts;
	struct settings *settings;
	struct buf out = {0};
	struct check *check;
	struct err err;
	bool failed;

	if (settings_load(file.count ? file.items[file.count - 1] : NULL, &settings, &err) < 0) {
		fprintf(stderr, PROGRAM ": %s\n", err.text);
		return EXIT_STARTUP;
	}
	trees = all_trees(parsed->args[TREE].texts, settings);
	check = check_new(settings, trees, SPICERACK_LIBRARY);
	for (size_t i = 0; i < paths.count; i++)
		check_path(check, paths.items[i]);
	tell(telling, check, &out);
	failed = counts[FINDING_ERROR] || (given(parsed, STRICT) && counts[FINDING_WARNING]);
	if (write_out(&out) < 0)
		failed = true;
	else if (!telling->json)
		summarize(counts);
	buf_free(&out);
	check_free(check);
	free((void *)(uintptr_t)trees.items);
	settings_free(settings);
	return failed ? EXIT_FAILURE : EXIT_OK;
}

/* The command line */

static int usage_error(const char *message)
{
	struct buf out = {0};

	argparse_usage_error(&check_words, context(), NULL, message, &out);
	fputs(buf_text(&out), stderr);
	buf_free(&out);
	return EXIT_USAGE;
}

static int act(const struct parsed *parsed)
{
	spk_strings allow = parsed->args[ALLOW].texts;
	struct telling telling = {.json = given(parsed, JSON)};

	if (given(parsed, LIST))
		return list_findings();
	for (size_t i = 0; i < allow.count; i++) {
		enum finding_kind kind = finding_named(allow.items[i]);
		char *message;
		int code;

		if (kind == FINDING_NONE) {
			message =
				xasprintf("argument --allow: there is no finding '%s' (see --list)",
					  allow.items[i]);
			code = usage_error(message);
			free(message);
			return code;
		}
		telling.allowed[kind] = true;
	}
	if (!parsed->args[PATHS].texts.count)
		return usage_error("the following arguments are required: PATH");
	return check_paths(parsed, &telling);
}

int check_command(int argc, char **argv)
{
	struct parsed parsed;
	int code;

	if (command_read(PROGRAM, &check_words, argc, argv, &parsed, &code))
		code = act(&parsed);
	parsed_free(&parsed);
	return code;
}
