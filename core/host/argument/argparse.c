/* SPDX-License-Identifier: Apache-2.0 */
#include "argparse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"
#include "argaction.h"
#include "argcheck.h"
#include "argscan.h"
#include "argtext.h"

static enum argparse_outcome finish(const struct parser *parser, const struct parser *sub,
				    const struct words *extras, struct buf *out)
{
	const struct parser *speaker = parser;
	struct buf message = {0};

	if (extras->count) {
		buf_puts(&message, "unrecognized arguments:");
		for (size_t i = 0; i < extras->count; i++)
			buf_printf(&message, " %s", extras->items[i]);
	} else if (argcheck_rules(parser, sub, &speaker, &message) == ARGCHECK_GOOD) {
		return ARGPARSE_OK;
	}
	argscan_fail(speaker, buf_text(&message), out);
	buf_free(&message);
	return ARGPARSE_USAGE;
}

/* Hands the texts of a parser's rows over. */
static void hand_over(struct parser *parser, struct parsed *parsed)
{
	for (size_t i = 0; i < parser->count; i++) {
		struct action *action = &parser->actions[i];
		const char *text = action->text_count ? action->texts[action->text_count - 1] : "";

		if (action->kind == ACTION_TASK_ID)
			parsed->task_id = text;
		else if (action->kind == ACTION_REASON)
			parsed->reason = text;
		if (action->kind != ACTION_ROW)
			continue;
		parsed->args[parsed->arg_count++] = (struct parsed_arg){
			.spec = action->spec,
			.given = action->given,
			.texts = {action->texts, action->text_count},
		};
		action->texts = NULL;
	}
}

enum argparse_outcome argparse(const struct cookbook_spec *spec,
			       const struct argparse_context *context, int argc, char *const *argv,
			       struct parsed *ret_parsed, struct buf *out)
{
	const size_t count = argc > 0 ? (size_t)argc : 0;
	const char **words = xcalloc(count, sizeof(*words));
	struct parser parser, *sub = NULL;
	struct words extras = {0};
	enum argparse_outcome outcome;
	struct err err = {0};

	*ret_parsed = (struct parsed){0};
	for (size_t i = 0; i < count; i++)
		words[i] = argv[i];
	if (parser_build(&parser, spec, context, &err) < 0) {
		outcome = ARGPARSE_BROKEN;
		buf_puts(out, err.text);
		goto out;
	}
	outcome = argscan(&parser, words, count, &extras, &sub, out);
	if (outcome == ARGPARSE_OK)
		outcome = finish(&parser, sub, &extras, out);
	if (outcome == ARGPARSE_OK) {
		ret_parsed->args = xcalloc(parser.count + (sub ? sub->count : 0),
					   sizeof(*ret_parsed->args));
		hand_over(&parser, ret_parsed);
		if (sub) {
			hand_over(sub, ret_parsed);
			ret_parsed->subcommand = sub->subcommand;
		}
	}
out:
	parser_free(&parser);
	free(extras.items);
	free(words);
	return outcome;
}

void parsed_free(struct parsed *parsed)
{
	for (size_t i = 0; i < parsed->arg_count; i++)
		free((void *)(uintptr_t)parsed->args[i].texts.items);
	free(parsed->args);
	*parsed = (struct parsed){0};
}

void argparse_usage_error(const struct cookbook_spec *spec, const struct argparse_context *context,
			  const struct subcommand_spec *subcommand, const char *message,
			  struct buf *out)
{
	const struct parser *speaker;
	struct parser parser;

	if (parser_build(&parser, spec, context, NULL) < 0) {
		buf_printf(out, "%s: error: ", context->program);
		argtext_escape(out, message);
		buf_putc(out, '\n');
	} else {
		speaker = &parser;
		for (size_t i = 0; i < spec->subcommand_count; i++) {
			if (subcommand == &spec->subcommands[i])
				speaker = &parser.subparsers[i];
		}
		argscan_fail(speaker, message, out);
	}
	parser_free(&parser);
}
