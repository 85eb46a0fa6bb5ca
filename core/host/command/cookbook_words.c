/* SPDX-License-Identifier: Apache-2.0 */
#include "cookbook_words.h"

#include <stddef.h>
#include <string.h>

/* What the operator asks of the host; read by the same parser as the arguments of a cookbook. */
struct command_line {
	bool list, dry_run, verbose, no_locks, in_process, yes, json, detach, version;
	const char *config_file, *answers;
	spk_duration timeout;
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
	       .meaning = ARG_FILE, .help = "read this configuration file instead of all others"),
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
	OPTION(ANSWERS, answers, 0, SPK_TYPE_STRING, .metavar = "FILE", .meaning = ARG_FILE,
	       .help = "answer questions with what this file says"),
	OPTION(JSON, json, 0, SPK_TYPE_FLAG,
	       .help = "print what happens in the run as events, a line of JSON each, and what the "
		       "cookbook prints among them"),
	OPTION(DETACH, detach, 0, SPK_TYPE_FLAG,
	       .help = "leave the terminal when the run has begun; `spicerack runs attach` "
		       "shows it again"),
	OPTION(VERSION, version, 0, SPK_TYPE_FLAG, .help = "show the version and exit"),
	[COOKBOOK] = {.name = "COOKBOOK",
		      .meaning = ARG_COOKBOOK,
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

const struct cookbook_spec cookbook_words = {
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

int cookbook_words_count(int argc, char *const *argv)
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
