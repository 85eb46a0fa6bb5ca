/* SPDX-License-Identifier: Apache-2.0 */
#include "complete.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"
#include "../../runtime/shell.h"
#include "../argument/argcomplete.h"
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

size_t complete_word(const char *text)
{
	size_t word = strlen(text);

	while (word > 0 && text[word - 1] != ' ' && text[word - 1] != '\t')
		word--;
	return word;
}

struct offered {
	struct candidates *candidates;
	const char *word;
};

static void offer(void *data, const char *text, const char *about)
{
	const struct offered *offered = data;

	candidates_add(offered->candidates, offered->word, text);
}

void complete_arguments(const struct settings *settings, const struct cookbook_spec *spec,
			spk_strings before, const char *word, struct candidates *candidates)
{
	struct argparse_context context = run_parser_context(settings);
	struct offered offered = {candidates, word};
	struct argexpected expected;
	struct parser parser;
	struct err err;

	context.program = "";
	if (parser_build(&parser, spec, &context, &err) == 0) {
		argcomplete(&parser, before.items, before.count, word, &expected);
		argcomplete_options(&expected, word, offer, &offered);
		for (size_t i = 0; i < expected.count; i++)
			argcomplete_choices(&expected, expected.values[i], word, offer, &offered);
		argexpected_free(&expected);
	}
	parser_free(&parser);
}
