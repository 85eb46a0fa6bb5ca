/* SPDX-License-Identifier: Apache-2.0 */
#include "complete_command.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../complete/completion.h"
#include "../complete/shellline.h"
#include "../run/outcome.h"
#include "../run/run.h"
#include "../tree/find.h"
#include "commands.h"
#include "cookbook_words.h"
#include "stdio_guard.h"

/* Nobody waits longer for what he could have typed. */
#define TIME_MS 2000

/* Words that were typed, up to the one at the cursor. */
struct typed {
	const char *const *words;
	size_t count;
};

static struct typed behind(struct typed typed, size_t count)
{
	return (struct typed){typed.words + count, typed.count - count};
}

/* ---- a table of arguments ---- */

/* What the argument in front of a positional was given. */
static const char *text_before(const struct argexpected *expected, const struct action *action)
{
	const char *before = NULL;

	for (const struct action *at = expected->parser->actions; at < action; at++)
		if (!at->options.count && at->text_count)
			before = at->texts[at->text_count - 1];
	return before;
}

/* Arguments of the host's own cookbooks, whose tables can say no more than those of others. */
static const struct {
	const char *name;
	enum arg_meaning meaning;
} own_arguments[] = {
	{"config_file", ARG_FILE},
	{"output_dir", ARG_DIRECTORY},
	{"query", ARG_QUERY},
	{"run", ARG_RUN},
};

static enum arg_meaning meaning_of(const struct action *action, bool own)
{
	for (size_t i = 0; own && i < sizeof(own_arguments) / sizeof(own_arguments[0]); i++)
		if (action->spec->meaning == ARG_ANYTHING &&
		    strcmp(action->dest, own_arguments[i].name) == 0)
			return own_arguments[i].meaning;
	if (action->spec->type == SPK_TYPE_PATH)
		return ARG_FILE;
	return action->spec->meaning;
}

/* One that is not configured spoils one argument, not all of them. `data` may be NULL. */
static int list_or_none(void *data, const char *path, spk_strings *ret_choices, struct err *err)
{
	const struct settings *settings = data;

	if (!settings || settings_list(settings, path, ret_choices, err) < 0)
		*ret_choices = (spk_strings){0};
	return 0;
}

static void note_config_file(struct completion *completion, const struct parser *parser)
{
	for (size_t i = 0; i < parser->count; i++) {
		const struct action *action = &parser->actions[i];

		if (action->text_count && strcmp(action->dest, "config_file") == 0)
			completion->config_file = action->texts[action->text_count - 1];
	}
}

/* `own`: the table is the host's, whose config_file is that of its configuration. */
static void complete_table(struct completion *completion, const struct cookbook_spec *spec,
			   struct typed typed, bool own)
{
	struct argparse_context context = run_parser_context(own ? NULL
								 : completion_settings(completion));
	struct argexpected expected;
	struct parser parser;
	struct err err;

	context.program = "";
	context.choices = list_or_none;
	if (!own)
		context.data = (void *)(uintptr_t)completion_settings(completion);
	if (parser_build(&parser, spec, &context, &err) == 0) {
		argcomplete(&parser, typed.words, typed.count, completion->word, &expected);
		completion->prefix = expected.prefix;
		if (own)
			note_config_file(completion, &parser);
		argcomplete_options(&expected, completion->word, completion_offer, completion);
		for (size_t i = 0; i < expected.count; i++) {
			const struct action *action = expected.values[i];

			if (action->has_choices)
				argcomplete_choices(&expected, action, completion->word,
						    completion_offer, completion);
			else
				values_offer(completion, meaning_of(action, own),
					     text_before(&expected, action));
		}
		argexpected_free(&expected);
	}
	parser_free(&parser);
}

static void complete_cookbook_args(struct completion *completion, spk_strings bases,
				   const char *name, struct typed typed, bool own)
{
	struct tree_found found;

	if (tree_find(bases, name, NULL, &found) != TREE_FOUND)
		return;
	complete_table(completion, found.spec, typed, own);
	tree_found_free(&found);
}

/* ---- cookbook ---- */

static void complete_cookbook(struct completion *completion, struct typed typed)
{
	char *const *words = (char *const *)(uintptr_t)typed.words;
	const size_t own = (size_t)cookbook_words_count((int)typed.count, words);
	struct typed rest = behind(typed, own);
	const struct settings *settings;
	struct parser parser;
	struct err err;

	if (rest.count && strcmp(rest.words[0], "--") == 0)
		rest = behind(rest, 1);
	if (!rest.count) {
		complete_table(completion, &cookbook_words, typed, true);
		return;
	}
	if (parser_build(&parser, &cookbook_words, &(struct argparse_context){.program = ""},
			 &err) == 0) {
		struct argexpected expected;

		argcomplete(&parser, typed.words, own, "", &expected);
		note_config_file(completion, &parser);
		argexpected_free(&expected);
		settings = completion_settings(completion);
		if (settings)
			complete_cookbook_args(completion,
					       settings_strings(settings, "cookbooks_base_dirs"),
					       rest.words[0], behind(rest, 1), false);
	}
	parser_free(&parser);
}

/* ---- spicerack ---- */

static void offer_help(struct completion *completion)
{
	if (*completion->word == '-')
		completion_offer(completion, "--help", "show this help message and exit");
}

static void complete_own(struct completion *completion, const char *cookbook, struct typed typed)
{
	static const char *const bases[] = {SPICERACK_OWN_DIR};

	complete_cookbook_args(completion, (spk_strings){bases, 1}, cookbook, typed, true);
}

static void complete_subcommands(struct completion *completion,
				 const struct subcommands *subcommands, struct typed typed)
{
	for (size_t i = 0; i < subcommands->count; i++) {
		const struct subcommand *subcommand = &subcommands->items[i];
		struct subcommand_table table;

		if (!typed.count) {
			completion_offer(completion, subcommand->name, subcommand->help);
		} else if (strcmp(typed.words[0], subcommand->name) != 0) {
			continue;
		} else if (subcommand->cookbook) {
			complete_own(completion, subcommand->cookbook, behind(typed, 1));
		} else {
			subcommand_table_fill(subcommand, &table);
			complete_table(completion, &table.spec, behind(typed, 1), true);
		}
	}
	if (!typed.count)
		offer_help(completion);
}

static void complete_spicerack(struct completion *completion, struct typed typed)
{
	const struct command *command = typed.count ? command_find(typed.words[0]) : NULL;

	if (!typed.count) {
		for (size_t i = 0; i < command_count; i++)
			if (commands[i].help)
				completion_offer(completion, commands[i].name, commands[i].help);
		offer_help(completion);
		if (*completion->word == '-')
			completion_offer(completion, "--version", "show the version and exit");
	} else if (command && command->subcommands) {
		complete_subcommands(completion, command->subcommands, behind(typed, 1));
	} else if (command && command->cookbook) {
		complete_own(completion, command->cookbook, behind(typed, 1));
	} else if (command && command->words) {
		complete_table(completion, command->words, behind(typed, 1), true);
	}
}

/* The words from the command's name on, with the one at the cursor. */
static void complete(struct completion *completion, struct typed typed)
{
	const char *slash = strrchr(typed.words[0], '/');
	const char *name = slash ? slash + 1 : typed.words[0];

	completion->word = typed.words[typed.count - 1];
	typed = (struct typed){typed.words + 1, typed.count - 2};
	if (strcmp(name, "cookbook") == 0)
		complete_cookbook(completion, typed);
	else if (strcmp(name, "spicerack") == 0)
		complete_spicerack(completion, typed);
}

/* ---- the shells ---- */

static void put_kind(const struct completion *completion, struct buf *out)
{
	static const char *const kinds[] = {
		[COMPLETION_NO_FILES] = "words",
		[COMPLETION_FILES] = "files",
		[COMPLETION_DIRECTORIES] = "directories",
	};

	buf_printf(out, "%s\n", kinds[completion->files]);
}

static void for_bash(struct completion *completion, struct typed typed, struct buf *out)
{
	struct shell_line line;

	if (typed.count != 2)
		return;
	shell_line_read(typed.words[1], typed.words[0], &line);
	if (line.file)
		completion->files = COMPLETION_FILES;
	else if (line.count > 1 && !line.opaque)
		complete(completion, (struct typed){(const char *const *)line.words, line.count});
	put_kind(completion, out);
	for (size_t i = 0; i < completion->count; i++) {
		const size_t length = out->length;

		if (shell_line_put(&line, completion->items[i].text, out)) {
			buf_putc(out, '\n');
			continue;
		}
		out->length = length;
		out->text[length] = '\0';
	}
	shell_line_free(&line);
}

static void put_described(const char *text, const char *about, struct buf *out)
{
	buf_printf(out, "%s%s%s\n", text, *about ? "\t" : "", about);
}

static void for_zsh(struct completion *completion, struct typed typed, struct buf *out)
{
	if (typed.count < 2)
		return;
	complete(completion, typed);
	put_kind(completion, out);
	for (size_t i = 0; i < completion->count; i++) {
		buf_putc(out, completion->items[i].open ? '+' : '-');
		put_described(completion->items[i].text + completion->prefix,
			      completion->items[i].about, out);
	}
}

static void for_fish(struct completion *completion, struct typed typed, struct buf *out)
{
	if (typed.count < 2)
		return;
	complete(completion, typed);
	put_kind(completion, out);
	for (size_t i = 0; i < completion->count; i++)
		put_described(completion->items[i].text, completion->items[i].about, out);
}

static const struct {
	const char *name;
	void (*answer)(struct completion *completion, struct typed typed, struct buf *out);
} shells[] = {
	{"bash", for_bash},
	{"fish", for_fish},
	{"zsh", for_zsh},
};

int complete_command(int argc, char **argv)
{
	struct completion completion = {0};
	struct buf out = {0};

	signal(SIGPIPE, SIG_IGN);
	completion_bound(TIME_MS);
	for (size_t i = 0; argc > 0 && i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(argv[0], shells[i].name) == 0)
			shells[i].answer(
				&completion,
				(struct typed){(const char *const *)argv + 1, (size_t)argc - 1},
				&out);
	(void)stdio_guard_write(&out);
	completion_free(&completion);
	buf_free(&out);
	return EXIT_OK;
}
