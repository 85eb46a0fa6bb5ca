/* SPDX-License-Identifier: Apache-2.0 */
#include "argcomplete.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"
#include "arghelp.h"
#include "argscan.h"

/* How many words an action takes. */
static const struct {
	size_t least, most;
} words_of[] = {
	[NARGS_NONE] = {0, 0},
	[NARGS_ONE] = {1, 1},
	[NARGS_OPTIONAL] = {0, 1},
	[NARGS_ANY] = {0, SIZE_MAX / 2},
	[NARGS_SOME] = {1, SIZE_MAX / 2},
	[NARGS_SUBCOMMAND] = {1, 1},
};

/* One command line, as far as it was read. */
struct walk {
	struct parser *parser;
	bool only_words;       /* behind `--` */
	size_t place;          /* words of this parser that were no options nor values of such */
	struct action *option; /* the one that was last, as long as it takes words; or NULL */
	size_t values;         /* that it has got */
};

static void note(struct action *action, const char *word)
{
	action->given = true;
	action->texts = xgrow(action->texts, action->text_count, &action->text_capacity,
			      sizeof(*action->texts));
	action->texts[action->text_count++] = word;
}

/* The next action from `index` on that may take the word at this place; NULL: none. */
static struct action *next_taker(const struct walk *walk, size_t *index, size_t *least,
				 size_t *most)
{
	while (*index < walk->parser->count) {
		struct action *action = &walk->parser->actions[(*index)++];
		bool takes;

		if (action->options.count)
			continue;
		*most += words_of[action->nargs].most;
		if (*most > SIZE_MAX / 2)
			*most = SIZE_MAX / 2;
		takes = *least <= walk->place && walk->place < *most;
		*least += words_of[action->nargs].least;
		if (takes)
			return action;
	}
	return NULL;
}

static struct parser *subparser_named(const struct parser *parser, const struct action *action,
				      const char *name)
{
	for (size_t i = 0; i < action->choices.count; i++)
		if (strcmp(action->choices.items[i], name) == 0)
			return &parser->subparsers[i];
	return NULL;
}

static void read_word(struct walk *walk, const char *word)
{
	size_t index = 0, least = 0, most = 0;
	struct action *first = NULL, *action;
	struct parser *sub = NULL;

	if (walk->option && walk->values < words_of[walk->option->nargs].most) {
		note(walk->option, word);
		walk->values++;
		return;
	}
	walk->option = NULL;
	while ((action = next_taker(walk, &index, &least, &most)) != NULL && !sub) {
		first = first ? first : action;
		if (action->kind == ACTION_SUBCOMMANDS)
			sub = subparser_named(walk->parser, action, word);
	}
	if (sub) {
		walk->parser = sub;
		walk->place = 0;
		return;
	}
	if (first)
		note(first, word);
	walk->place++;
}

/* -abc=VALUE: flags, and perhaps a last one that takes words. */
static void read_option(struct walk *walk, struct option_word option)
{
	walk->option = NULL;
	while (option.action) {
		const char name[] = {'-', option.value ? option.value[0] : '\0'};

		option.action->given = true;
		if (option.action->nargs != NARGS_NONE) {
			if (option.value)
				note(option.action, option.value);
			else
				walk->option = option.action;
			walk->values = 0;
			return;
		}
		if (!option.value || !*option.value || option.name[1] == '-')
			return;
		option.action = argscan_option(walk->parser, name, sizeof(name), &option.name);
		option.value = option.value[1] ? option.value + 1 : NULL;
	}
}

static void read_all(struct walk *walk, const char *const *words, size_t count)
{
	struct option_word option;
	struct buf unheard = {0};

	for (size_t i = 0; i < count; i++) {
		if (!walk->only_words && strcmp(words[i], "--") == 0) {
			walk->only_words = true;
			walk->option = NULL;
		} else if (!walk->only_words &&
			   argscan_classify(walk->parser, words[i], &option, &unheard) == 'O') {
			read_option(walk, option);
		} else {
			read_word(walk, words[i]);
		}
	}
	buf_free(&unheard);
}

static void expect_value(struct argexpected *expected, struct action *action)
{
	expected->values[expected->count++] = action;
}

void argcomplete(struct parser *parser, const char *const *words, size_t count, const char *word,
		 struct argexpected *ret)
{
	struct walk walk = {.parser = parser};
	size_t index = 0, least = 0, most = 0;
	const char *equals = strchr(word, '='), *name;
	struct action *action;

	read_all(&walk, words, count);
	*ret = (struct argexpected){.parser = walk.parser, .only_words = walk.only_words};
	ret->values = xcalloc(walk.parser->count + 1, sizeof(struct action *));
	if (walk.option && walk.values < words_of[walk.option->nargs].most) {
		expect_value(ret, walk.option);
		if (walk.values < words_of[walk.option->nargs].least)
			return;
	}
	if (!walk.only_words && *word == '-' && word[1] == '-' && equals) {
		ret->count = 0;
		action = argscan_option(walk.parser, word, (size_t)(equals - word), &name);
		if (action && action->nargs != NARGS_NONE)
			expect_value(ret, action);
		ret->prefix = (size_t)(equals + 1 - word);
		return;
	}
	if (!walk.only_words && *word == '-') {
		ret->count = 0;
		ret->options = true;
		return;
	}
	while ((action = next_taker(&walk, &index, &least, &most)) != NULL)
		expect_value(ret, action);
	ret->options = !walk.only_words && !ret->count && !*word;
}

void argexpected_free(struct argexpected *expected)
{
	free(expected->values);
	*expected = (struct argexpected){0};
}

/* Whether another of its group was given, and they exclude each other. */
static bool is_excluded(const struct parser *parser, const struct action *action)
{
	if (action->group < 0 || (size_t)action->group >= parser->spec->group_count ||
	    !parser->spec->groups[action->group].exclusive)
		return false;
	for (size_t i = 0; i < parser->count; i++)
		if (parser->actions[i].group == action->group && parser->actions[i].given)
			return true;
	return false;
}

static bool has_long(const struct action *action)
{
	for (size_t i = 0; i < action->options.count; i++)
		if (action->options.items[i][1] == '-')
			return true;
	return false;
}

/* One line of it; what could not be expanded is none. */
static void put_about(const struct parser *parser, const struct action *action, struct buf *out)
{
	struct err err;

	buf_clear(out);
	if (arghelp_text(parser, action, out, &err) < 0)
		buf_clear(out);
}

void argcomplete_options(const struct argexpected *expected, const char *word,
			 argcomplete_offer *offer, void *data)
{
	const struct parser *parser = expected->parser;
	struct buf about = {0};

	for (size_t i = 0; expected->options && i < parser->count; i++) {
		const struct action *action = &parser->actions[i];

		if (action->hidden || (action->given && !action->extend) ||
		    is_excluded(parser, action))
			continue;
		put_about(parser, action, &about);
		for (size_t k = 0; k < action->options.count; k++) {
			const char *option = action->options.items[k];

			if (strncmp(option, word, strlen(word)) == 0 &&
			    (option[1] == '-' || !has_long(action) || strcmp(option, word) == 0))
				offer(data, option, about.text);
		}
	}
	buf_free(&about);
}

/* Whether the choice stands in the list before its last comma. */
static bool is_listed(const char *list, const char *end, const char *choice)
{
	const size_t length = strlen(choice);

	for (const char *at = list; at < end; at = strchr(at, ',') + 1)
		if (strncmp(at, choice, length) == 0 && at[length] == ',')
			return true;
	return false;
}

/* Whether the parser would take the whole word for an option, though it is meant as a value. */
static bool is_mistaken(const struct argexpected *expected, const char *word)
{
	struct option_word option;
	struct buf unheard = {0};
	char class = 'A';

	if (!expected->prefix && !expected->only_words)
		class = argscan_classify(expected->parser, word, &option, &unheard);
	buf_free(&unheard);
	return class != 'A';
}

void argcomplete_choices(const struct argexpected *expected, const struct action *action,
			 const char *word, argcomplete_offer *offer, void *data)
{
	const char *value = word + expected->prefix, *rest = value;
	const char *comma = action->spec->as == SPK_COMMA_LIST ? strrchr(value, ',') : NULL;
	struct buf text = {0};

	if (comma)
		rest = comma + 1;
	for (size_t i = 0; i < action->choices.count; i++) {
		const char *choice = action->choices.items[i];
		const char *about = NULL;

		if (strncmp(choice, rest, strlen(rest)) != 0 || is_listed(value, rest, choice))
			continue;
		if (action->kind == ACTION_SUBCOMMANDS)
			about = expected->parser->subparsers[i].subcommand->help;
		buf_clear(&text);
		buf_add(&text, word, (size_t)(rest - word));
		buf_puts(&text, choice);
		if (!is_mistaken(expected, buf_text(&text)))
			offer(data, buf_text(&text), about);
	}
	buf_free(&text);
}
