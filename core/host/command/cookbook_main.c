/* SPDX-License-Identifier: Apache-2.0 */
/* The command `cookbook`: lists the tree, helps with a cookbook, runs one. */
#include <errno.h>
#include <signal.h>
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
#include "cookbook_words.h"
#include "stdio_guard.h"
#include "../tree/tree.h"

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
	int global = cookbook_words_count(argc - 1, argv + 1);
	char **rest = argv + 1 + global;
	int rest_count = argc - 1 - global;
	struct parsed parsed = {0};
	struct buf out = {0};
	int code;

	/* Who ignores his children, and is inherited from, would never learn how they end. */
	signal(SIGCHLD, SIG_DFL);
	if (stdio_guard_open() < 0)
		return EXIT_STARTUP;
	if (rest_count > 0 && strcmp(rest[0], "--") == 0) {
		rest++;
		rest_count--;
	}
	switch (argparse(&cookbook_words, &context, global, argv + 1, &parsed, &out)) {
	case ARGPARSE_OK:
		if (given(&parsed, JSON) && given(&parsed, LIST)) {
			argparse_usage_error(&cookbook_words, &context, NULL,
					     "argument --json: not allowed with argument -l/--list",
					     &out);
			fputs(buf_text(&out), stderr);
			code = EXIT_USAGE;
			break;
		}
		if (given(&parsed, TIMEOUT) && timeout_of(&parsed).ns <= 0) {
			argparse_usage_error(&cookbook_words, &context, NULL,
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
