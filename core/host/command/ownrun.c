/* SPDX-License-Identifier: Apache-2.0 */
#include "ownrun.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../../runtime/buf.h"
#include "../../runtime/printable.h"
#include "../run/identity.h"
#include "../run/outcome.h"
#include "../run/run.h"
#include "../setting/settings.h"

int ownrun_complain(const char *program, const char *format, ...)
{
	struct buf text = {0}, shown = {0};
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	printable_add(&shown, buf_text(&text), text.length);
	fprintf(stderr, "%s: error: %s\n", program, buf_text(&shown));
	buf_free(&text);
	buf_free(&shown);
	return EXIT_INIT_FAILED;
}

/* The same parser as that of the run, which gets the same words. */
static bool parse(struct ownrun *run, int argc, char *const *argv, int *code)
{
	struct argparse_context context = run_parser_context(NULL);
	struct buf out = {0};
	bool good = false;

	context.program = run->program;
	context.plain_help = true;
	switch (argparse(run->found.spec, &context, argc, argv, &run->parsed, &out)) {
	case ARGPARSE_OK:
		good = true;
		break;
	case ARGPARSE_HELP:
		fputs(buf_text(&out), stdout);
		*code = EXIT_OK;
		break;
	default:
		fputs(buf_text(&out), stderr);
		*code = EXIT_USAGE;
		break;
	}
	buf_free(&out);
	return good;
}

bool ownrun_open(struct ownrun *run, const char *program, const char *cookbook, int argc,
		 char *const *argv, int *code)
{
	static const char *const bases[] = {SPICERACK_OWN_DIR};

	*run = (struct ownrun){.program = program};
	if (tree_find((spk_strings){bases, 1}, cookbook, stderr, &run->found) == TREE_FOUND)
		return parse(run, argc, argv, code);
	*code = ownrun_complain(program, "cannot find %s in %s: the installation is not complete",
				cookbook, bases[0]);
	return false;
}

static const struct parsed_arg *find(const struct ownrun *run, const char *name)
{
	for (size_t i = 0; i < run->parsed.arg_count; i++)
		if (strcmp(run->parsed.args[i].spec->name, name) == 0)
			return &run->parsed.args[i];
	return NULL;
}

const char *ownrun_text(const struct ownrun *run, const char *name)
{
	const struct parsed_arg *arg = find(run, name);

	return arg && arg->texts.count ? arg->texts.items[arg->texts.count - 1] : NULL;
}

bool ownrun_is_given(const struct ownrun *run, const char *name)
{
	const struct parsed_arg *arg = find(run, name);

	return arg && arg->given;
}

int ownrun_run(const struct ownrun *run, int argc, char *const *argv)
{
	struct identity identity;
	struct run_options options = {
		.identity = &identity,
		.program = run->program,
		.dry_run = ownrun_is_given(run, "dry_run"),
		.verbose = ownrun_is_given(run, "verbose"),
		.unannounced = !ownrun_is_given(run, "announce"),
		.no_locks = true,
	};
	struct settings *settings;
	struct run_end end = {0};
	struct err err;
	int code;

	if (settings_load(ownrun_text(run, "config_file"), &settings, &err) < 0)
		return ownrun_complain(run->program, "%s", err.text);
	options.settings = settings;
	identity_fill(&identity);
	code = run_cookbook(&options, &run->found, argc, argv, &end);
	settings_free(settings);
	if (code == EXIT_STARTUP && !end.begun)
		return EXIT_INIT_FAILED;
	/* What the hosts say is what it is for. */
	return code == EXIT_OK && end.output_lost ? OWNRUN_OUTPUT_LOST : code;
}

void ownrun_close(struct ownrun *run)
{
	parsed_free(&run->parsed);
	if (run->found.file)
		tree_found_free(&run->found);
}
