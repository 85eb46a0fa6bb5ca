/* SPDX-License-Identifier: Apache-2.0 */
/* The command `cookbook`: lists the tree, helps with a cookbook, runs one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <spicerack/command.h>

#include "../../runtime/argvalue.h"
#include "../../runtime/printable.h"
#include "../argument/argparse.h"
#include "../log/columns.h"
#include "../tree/find.h"
#include "../run/identity.h"
#include "../menu/menu.h"
#include "../run/outcome.h"
#include "../log/record.h"
#include "../run/run.h"
#include "../setting/settings.h"
#include "stdio_guard.h"
#include "../tree/tree.h"

/* What the operator asks of the host; read by the same parser as the arguments of a cookbook. */
struct command_line {
	bool list, dry_run, verbose, no_locks, in_process, yes, json, detach, version;
	const char *config_file, *answers;
	spk_duration timeout;
};

enum option {
	LIST,
	CONFIG_FILE,
	DRY_RUN,
	VERBOSE,
	NO_LOCKS,
	TIMEOUT,
	IN_PROCESS,
	YES,
	ANSWERS,
	JSON,
	DETACH,
	VERSION,
	COOKBOOK,
	ARGS,
	OPTION_COUNT
};

#define OPTION(id, field, letter_, type_, ...)                                                     \
	[id] = {.name = #field,                                                                    \
		.form = SPK_FORM_OPTION,                                                           \
		.type = (type_),                                                                   \
		.letter = (letter_),                                                               \
		.offset = offsetof(struct command_line, field),                                    \
		.group = -1,                                                                       \
		__VA_ARGS__}

static const struct arg_spec options[OPTION_COUNT] = {
	OPTION(LIST, list, 'l', SPK_TYPE_FLAG,
	       .help = "list the cookbooks with their owner teams, with -v also their titles; with "
		       "COOKBOOK only what lies under that prefix"),
	OPTION(CONFIG_FILE, config_file, 'c', SPK_TYPE_STRING, .metavar = "FILE",
	       .help = "read this configuration file instead of all others"),
	OPTION(DRY_RUN, dry_run, 'd', SPK_TYPE_FLAG,
	       .help = "change nothing, show what would be done"),
	OPTION(VERBOSE, verbose, 'v', SPK_TYPE_FLAG,
	       .help = "show debug messages and, in lists, titles"),
	OPTION(NO_LOCKS, no_locks, 0, SPK_TYPE_FLAG,
	       .help = "neither take nor check any lock, for emergencies"),
	OPTION(TIMEOUT, timeout, 0, SPK_TYPE_DURATION, .metavar = "DURATION",
	       .help = "interrupt the cookbook when it has run this long: 90, 20m, 1h30m"),
	OPTION(IN_PROCESS, in_process, 0, SPK_TYPE_FLAG,
	       .help = "run the cookbook in the process that opens it, for gdb and valgrind: a "
		       "crash "
		       "is then not rolled back"),
	OPTION(YES, yes, 0, SPK_TYPE_FLAG,
	       .help = "answer confirmations with go, and failures that would be asked about with "
		       "abort; nothing else"),
	OPTION(ANSWERS, answers, 0, SPK_TYPE_STRING, .metavar = "FILE",
	       .help = "answer questions with what this file says"),
	OPTION(JSON, json, 0, SPK_TYPE_FLAG,
	       .help = "print what happens in the run as events, a line of JSON each, and what the "
		       "cookbook prints among them"),
	OPTION(DETACH, detach, 0, SPK_TYPE_FLAG,
	       .help = "leave the terminal when the run has begun; `spicerack runs attach` "
		       "shows it again"),
	OPTION(VERSION, version, 0, SPK_TYPE_FLAG, .help = "show the version and exit"),
	[COOKBOOK] = {.name = "COOKBOOK",
		      .form = SPK_FORM_POSITIONAL,
		      .type = SPK_TYPE_STRING,
		      .arity = SPK_ZERO_OR_ONE,
		      .group = -1,
		      .help = "a dotted name (group1.important-cookbook), or a path "
			      "(group1/important-cookbook.so); a group, or nothing, opens a "
			      "menu"},
	[ARGS] = {.name = "COOKBOOK_ARGS",
		  .form = SPK_FORM_POSITIONAL,
		  .type = SPK_TYPE_STRINGS,
		  .arity = SPK_ZERO_OR_MORE,
		  .group = -1,
		  .help = "everything behind COOKBOOK is the cookbook's, options included"},
};

static const struct cookbook_spec command = {
	.title = "Lists and runs cookbooks.",
	.description =
		"Ctrl+C interrupts a cookbook, which is then rolled back; a second one kills it "
		"first.\nExit codes are explained in cookbook(1).",
	.args = options,
	.arg_count = OPTION_COUNT,
};

/* `--config-file` is the option config_file. */
static bool is_long_form(const char *word, const char *name)
{
	word += 2;
	while (*name && *word == (*name == '_' ? '-' : *name)) {
		word++;
		name++;
	}
	return !*name && !*word;
}

/* Whether an option's value is the word behind it; in a cluster of letters, of the last one. */
static bool takes_next_word(const char *word)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct arg_spec *option = &options[i];
		const char *at = option->letter ? strchr(word, option->letter) : NULL;

		if (option->form != SPK_FORM_OPTION || option->type == SPK_TYPE_FLAG)
			continue;
		if (word[1] == '-' ? is_long_form(word, option->name) : at && !at[1])
			return true;
	}
	return false;
}

/* The number of leading words that are ours: up to the first that is no option. */
static int count_global(int argc, char *const *argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		/* What looks like a negative number is no option for the parser either. */
		if (strcmp(argv[i], "--") == 0 || argv[i][0] != '-' || !argv[i][1] ||
		    strchr("0123456789.", argv[i][1]))
			break;
		if (takes_next_word(argv[i]))
			i++;
	}
	return i < argc ? i : argc;
}

static bool given(const struct parsed *parsed, enum option option)
{
	return parsed->args[option].given;
}

static int list(const struct settings *settings, const char *prefix, bool titles)
{
	struct tree tree;
	struct err err;

	if (tree_read(settings_strings(settings, "cookbooks_base_dirs"), prefix, stderr, &tree,
		      &err) < 0) {
		fprintf(stderr, "cookbook: %s\n", err.text);
		return EXIT_STARTUP;
	}
	tree_print(&tree, prefix, titles, stdout);
	if (tree.cookbook_count == 0 && *prefix)
		fprintf(stderr, "cookbook: there is no cookbook below '%s'\n", prefix);
	tree_free(&tree);
	return EXIT_OK;
}

/* The parser has found it to be one. 0 is no limit, also where the cookbook has one. */
static spk_duration timeout_of(const struct parsed *parsed)
{
	spk_strings texts = parsed->args[TIMEOUT].texts;
	spk_duration timeout = {0};

	if (texts.count > 0 && duration_read(texts.items[texts.count - 1], &timeout, NULL) < 0)
		timeout.ns = 0;
	return timeout;
}

static const char *last_text(const struct parsed *parsed, enum option option)
{
	spk_strings texts = parsed->args[option].texts;

	return texts.count > 0 ? texts.items[texts.count - 1] : NULL;
}

static int run(const struct settings *settings, const struct parsed *parsed, const char *name,
	       int argc, char *const *argv)
{
	spk_strings bases = settings_strings(settings, "cookbooks_base_dirs");
	struct identity identity;
	struct run_options run_options = {
		.settings = settings,
		.identity = &identity,
		.dry_run = given(parsed, DRY_RUN),
		.verbose = given(parsed, VERBOSE),
		.no_locks = given(parsed, NO_LOCKS),
		.in_process = given(parsed, IN_PROCESS),
		.json = given(parsed, JSON),
		.timeout = timeout_of(parsed),
	};
	struct detachment detachment;
	struct tree_found found;
	struct buf shown = {0};
	struct err err;
	int code;

	if (given(parsed, DETACH) && given(parsed, JSON)) {
		fputs("cookbook: --json and --detach do not go together: the journal has the "
		      "events\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (given(parsed, DETACH)) {
		/* Before anything that belongs to one process is made. */
		if (detachment_begin(&detachment, &err) < 0) {
			fprintf(stderr, "cookbook: %s\n", err.text);
			return EXIT_STARTUP;
		}
		if (detachment.child > 0)
			return detachment_await(&detachment);
		run_options.detachment = &detachment;
	}
	if (answers_read(last_text(parsed, ANSWERS), given(parsed, YES), &run_options.answers,
			 &err) < 0) {
		fprintf(stderr, "cookbook: %s\n", err.text);
		return EXIT_STARTUP;
	}
	switch (tree_find(bases, name, stderr, &found)) {
	case TREE_FOUND:
		identity_fill(&identity);
		code = run_cookbook(&run_options, &found, argc, argv, NULL);
		tree_found_free(&found);
		break;
	case TREE_GROUP:
		if (run_options.json || run_options.detachment) {
			fprintf(stderr,
				"cookbook: --%s is for the run of a cookbook, not for a menu\n",
				run_options.json ? "json" : "detach");
			code = EXIT_USAGE;
			break;
		}
		identity_fill(&identity);
		code = menu_run(&run_options, name,
				(spk_strings){(const char *const *)argv, (size_t)argc});
		break;
	case TREE_NONE:
	default:
		record_sanitize(name, strlen(name), "\\x0a", &shown);
		fprintf(stderr, "cookbook: Unable to find cookbook %s (see cookbook -l)\n",
			buf_text(&shown));
		buf_free(&shown);
		code = EXIT_NO_COOKBOOK;
		break;
	}
	answers_free(run_options.answers);
	return code;
}

/* A base directory that is not there is a mistake in the configuration, not an empty tree. */
static bool trees_are_there(const struct settings *settings, spk_strings bases)
{
	const char *origin = settings_origin(settings, "cookbooks_base_dirs");
	char shown[PRINTABLE_PATH_SIZE];
	struct stat st;

	for (size_t i = 0; i < bases.count; i++) {
		const char *reason = NULL;

		if (stat(bases.items[i], &st) < 0)
			reason = strerrordesc_np(errno);
		else if (!S_ISDIR(st.st_mode))
			reason = "not a directory";
		if (!reason)
			continue;
		fprintf(stderr, "cookbook: %s: cookbooks_base_dirs: %s: %s\n", origin,
			printable_path(bases.items[i], shown), reason);
		return false;
	}
	return true;
}

/* Fresh machines and wrong configurations have none. */
static bool has_trees(const struct settings *settings)
{
	spk_strings bases = settings_strings(settings, "cookbooks_base_dirs");

	if (bases.count > 0)
		return trees_are_there(settings, bases);
	fputs("cookbook: no cookbooks are installed below " SPICERACK_COOKBOOKS_DIR
	      ", you have none of your own, and the configuration sets no cookbooks_base_dirs\n",
	      stderr);
	return false;
}

static int act(const struct parsed *parsed, int argc, char *const *argv)
{
	spk_strings file = parsed->args[CONFIG_FILE].texts;
	const char *name = argc > 0 ? argv[0] : "";
	struct settings *settings;
	struct err err;
	int code;

	if (given(parsed, VERSION)) {
		puts("cookbook (spicerack) " SPICERACK_VERSION);
		return EXIT_OK;
	}
	if (settings_load(file.count ? file.items[file.count - 1] : NULL, &settings, &err) < 0) {
		fprintf(stderr, "cookbook: %s\n", err.text);
		return EXIT_STARTUP;
	}
	if (!has_trees(settings))
		code = EXIT_STARTUP;
	else if (given(parsed, LIST))
		code = list(settings, name, given(parsed, VERBOSE));
	else
		code = run(settings, parsed, name, argc > 0 ? argc - 1 : 0, argv + 1);
	settings_free(settings);
	return code;
}

int main(int argc, char **argv)
{
	struct argparse_context context = {
		.program = "cookbook", .plain_help = true, .columns = columns_for_help()};
	int global = count_global(argc - 1, argv + 1);
	char **rest = argv + 1 + global;
	int rest_count = argc - 1 - global;
	struct parsed parsed = {0};
	struct buf out = {0};
	int code;

	if (stdio_guard_open() < 0)
		return EXIT_STARTUP;
	if (rest_count > 0 && strcmp(rest[0], "--") == 0) {
		rest++;
		rest_count--;
	}
	switch (argparse(&command, &context, global, argv + 1, &parsed, &out)) {
	case ARGPARSE_OK:
		if (given(&parsed, JSON) && given(&parsed, LIST)) {
			argparse_usage_error(&command, &context, NULL,
					     "argument --json: not allowed with argument -l/--list",
					     &out);
			fputs(buf_text(&out), stderr);
			code = EXIT_USAGE;
			break;
		}
		if (given(&parsed, TIMEOUT) && timeout_of(&parsed).ns <= 0) {
			argparse_usage_error(&command, &context, NULL,
					     "argument --timeout: must be more than 0", &out);
			fputs(buf_text(&out), stderr);
			code = EXIT_USAGE;
			break;
		}
		code = act(&parsed, rest_count, rest);
		break;
	case ARGPARSE_HELP:
		fputs(buf_text(&out), stdout);
		code = EXIT_OK;
		break;
	default:
		fputs(buf_text(&out), stderr);
		code = EXIT_USAGE;
		break;
	}
	parsed_free(&parsed);
	buf_free(&out);
	return stdio_guard_close(code);
}
