/* SPDX-License-Identifier: Apache-2.0 */
#include "complete.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"
#include "../../runtime/shell.h"
#include "../argument/argaction.h"
#include "../run/run.h"

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void candidates_add(struct candidates *candidates, const char *word, const char *text)
{
	size_t length = strlen(text);

	if (strncmp(text, word, strlen(word)) != 0 || shell_quote(text, length, NULL) != length)
		return;
	candidates->items = xgrow(candidates->items, candidates->count, &candidates->capacity,
				  sizeof(*candidates->items));
	candidates->items[candidates->count++] = pool_text(candidates->pool, text, length);
}

spk_strings candidates_sorted(struct candidates *candidates)
{
	size_t kept = 0;

	if (candidates->count > 1)
		qsort(candidates->items, candidates->count, sizeof(*candidates->items), by_text);
	for (size_t i = 0; i < candidates->count; i++)
		if (kept == 0 || strcmp(candidates->items[kept - 1], candidates->items[i]) != 0)
			candidates->items[kept++] = candidates->items[i];
	candidates->count = kept;
	return (spk_strings){candidates->items, kept};
}

size_t complete_word(const char *text, char **ret_before)
{
	size_t word = strlen(text), end, start;

	while (word > 0 && text[word - 1] != ' ' && text[word - 1] != '\t')
		word--;
	for (end = word; end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t');)
		end--;
	for (start = end; start > 0 && text[start - 1] != ' ' && text[start - 1] != '\t';)
		start--;
	*ret_before = end > start ? xstrndup(text + start, end - start) : NULL;
	return word;
}

static void add_all(struct candidates *candidates, const char *word, spk_strings texts)
{
	for (size_t i = 0; i < texts.count; i++)
		candidates_add(candidates, word, texts.items[i]);
}

static const struct action *find_option(const struct parser *parser, const char *name)
{
	for (size_t i = 0; i < parser->count; i++)
		for (size_t k = 0; k < parser->actions[i].options.count; k++)
			if (strcmp(parser->actions[i].options.items[k], name) == 0)
				return &parser->actions[i];
	return NULL;
}

/* Those of one parser. False when the word is the value of an option, and nothing else. */
static bool complete_parser(const struct parser *parser, const char *before, const char *word,
			    struct candidates *candidates)
{
	const struct action *option = before ? find_option(parser, before) : NULL;

	if (option && option->has_choices) {
		add_all(candidates, word, option->choices);
		return false;
	}
	for (size_t i = 0; i < parser->count; i++) {
		const struct action *action = &parser->actions[i];

		if (action->hidden)
			continue;
		if (*word == '-')
			add_all(candidates, word, action->options);
		else if (!action->options.count)
			add_all(candidates, word, action->choices);
	}
	return true;
}

void complete_arguments(const struct settings *settings, const struct cookbook_spec *spec,
			const char *before, const char *word, struct candidates *candidates)
{
	struct argparse_context context = run_parser_context(settings);
	struct parser parser = {0};
	struct err err;

	context.program = "";
	if (parser_build(&parser, spec, &context, &err) == 0 &&
	    complete_parser(&parser, before, word, candidates))
		for (size_t i = 0; parser.subparsers && i < spec->subcommand_count; i++)
			complete_parser(&parser.subparsers[i], before, word, candidates);
	parser_free(&parser);
}
