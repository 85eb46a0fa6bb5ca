/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No option parser lies underneath: getopt_long() takes abbreviations, which cannot be
 * turned off, popt and argp know neither positionals with an arity nor subcommands, and
 * none can decide as argparse does which words between options belong to which positional.
 */
#include "argscan.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"
#include "argcheck.h"
#include "arghelp.h"
#include "argmatch.h"
#include "argtext.h"

static void words_add(struct words *words, const char *word)
{
	words->items = xgrow(words->items, words->count, &words->capacity, sizeof(*words->items));
	words->items[words->count++] = word;
}

/* One parser at work on its words. */
struct scan {
	struct parser *parser;
	const char *const *words;
	size_t count;
	char *pattern;               /* one character per word, see argmatch.h */
	struct option_word *options; /* what the words marked `O` are */
	struct action **positionals; /* those whose turn has not come */
	size_t positional_count;
	struct words *extras; /* words that nobody wants */
	struct words sub_extras;
	struct parser **ret_sub; /* the subparser chosen */
	struct buf *out;
};

enum argparse_outcome argscan_fail(const struct parser *parser, const char *message,
				   struct buf *out)
{
	arghelp_usage(parser, out);
	buf_printf(out, "%s: error: ", parser->prog);
	argtext_escape(out, message);
	buf_putc(out, '\n');
	return ARGPARSE_USAGE;
}

static enum argparse_outcome broken(const char *reason, struct buf *out)
{
	buf_puts(out, reason);
	return ARGPARSE_BROKEN;
}

/* Fails with `argument NAME: ` and the message; what `text` holds is quoted behind it. */
static enum argparse_outcome fail_action(const struct scan *scan, const struct action *action,
					 const char *message, const char *text)
{
	struct buf full = {0};

	buf_puts(&full, "argument ");
	action_name(action, &full);
	buf_printf(&full, ": %s", message);
	if (text)
		argtext_repr(&full, text);
	argscan_fail(scan->parser, buf_text(&full), scan->out);
	buf_free(&full);
	return ARGPARSE_USAGE;
}

struct action *argscan_option(const struct parser *parser, const char *name, size_t length,
			      const char **ret_name)
{
	for (size_t i = 0; i < parser->count; i++) {
		const spk_strings options = parser->actions[i].options;

		for (size_t j = 0; j < options.count; j++) {
			if (strlen(options.items[j]) == length &&
			    memcmp(options.items[j], name, length) == 0) {
				*ret_name = options.items[j];
				return &parser->actions[i];
			}
		}
	}
	return NULL;
}

/*
 * What `-fVALUE` may mean: the option -f with its value, or a name of one dash that starts
 * so. Returns how many readings there are, the first in *ret, all of them in `names`.
 */
static size_t read_short(const struct parser *parser, const char *word, struct option_word *ret,
			 struct buf *names)
{
	size_t found = 0;

	for (size_t i = 0; i < parser->count; i++) {
		const spk_strings options = parser->actions[i].options;

		for (size_t j = 0; j < options.count; j++) {
			const char *option = options.items[j];
			const bool glued = option[1] == word[1] && option[2] == '\0';

			if (!glued && strncmp(option, word, strlen(word)) != 0)
				continue;
			if (!found++)
				*ret = (struct option_word){&parser->actions[i], option,
							    glued ? word + 2 : NULL};
			buf_printf(names, "%s%s", found > 1 ? ", " : "", option);
		}
	}
	return found;
}

char argscan_classify(const struct parser *parser, const char *word, struct option_word *ret,
		      struct buf *out)
{
	const char *equals = strchr(word, '=');
	struct buf names = {0}, message = {0};
	size_t found;

	*ret = (struct option_word){0};
	if (word[0] != '-')
		return 'A';
	ret->action = argscan_option(parser, word, strlen(word), &ret->name);
	if (ret->action)
		return 'O';
	if (word[1] == '\0')
		return 'A';
	if (equals) {
		ret->action = argscan_option(parser, word, (size_t)(equals - word), &ret->name);
		ret->value = equals + 1;
		if (ret->action)
			return 'O';
		ret->value = NULL;
	}
	found = word[1] == '-' ? 0 : read_short(parser, word, ret, &names);
	if (found > 1) {
		buf_printf(&message, "ambiguous option: %s could match %s", word, names.text);
		argscan_fail(parser, message.text, out);
	}
	buf_free(&names);
	buf_free(&message);
	if (found)
		return found > 1 ? '\0' : 'O';
	if (action_negative_number(word) && !parser->numeric_options)
		return 'A';
	return strchr(word, ' ') ? 'A' : 'O';
}

static enum argparse_outcome classify_all(struct scan *scan)
{
	bool only_words = false;

	for (size_t i = 0; i < scan->count; i++) {
		if (only_words) {
			scan->pattern[i] = 'A';
		} else if (strcmp(scan->words[i], "--") == 0) {
			scan->pattern[i] = '-';
			only_words = true;
		} else {
			scan->pattern[i] = argscan_classify(scan->parser, scan->words[i],
							    &scan->options[i], scan->out);
			if (scan->pattern[i] == '\0')
				return ARGPARSE_USAGE;
		}
	}
	return ARGPARSE_OK;
}

static enum argparse_outcome choose_subcommand(struct scan *scan, const struct action *action,
					       const char *const *words, size_t count)
{
	const spk_strings names = action->choices;
	struct buf message = {0};

	for (size_t i = 0; i < names.count; i++) {
		if (strcmp(names.items[i], words[0]) == 0) {
			*scan->ret_sub = &scan->parser->subparsers[i];
			return argscan(*scan->ret_sub, words + 1, count - 1, &scan->sub_extras,
				       NULL, scan->out);
		}
	}
	buf_puts(&message, "invalid choice: ");
	argtext_repr(&message, words[0]);
	buf_puts(&message, " (choose from ");
	for (size_t i = 0; i < names.count; i++) {
		buf_puts(&message, i ? ", " : "");
		argtext_repr(&message, names.items[i]);
	}
	buf_putc(&message, ')');
	fail_action(scan, action, buf_text(&message), NULL);
	buf_free(&message);
	return ARGPARSE_USAGE;
}

static enum argparse_outcome check_words(const struct scan *scan, const struct action *action,
					 const char *const *words, size_t count)
{
	struct buf message = {0};
	struct err err = {0};
	enum argcheck result = argcheck_words(scan->parser, action, words, count, &message, &err);

	if (result == ARGCHECK_REFUSED)
		fail_action(scan, action, buf_text(&message), NULL);
	buf_free(&message);
	if (result == ARGCHECK_BROKEN)
		return broken(err.text, scan->out);
	return result == ARGCHECK_GOOD ? ARGPARSE_OK : ARGPARSE_USAGE;
}

static bool exclusive(const struct parser *parser, int group)
{
	return group >= 0 && (size_t)group < parser->spec->group_count &&
	       parser->spec->groups[group].exclusive;
}

static enum argparse_outcome check_conflicts(const struct scan *scan, const struct action *action)
{
	if (!exclusive(scan->parser, action->group))
		return ARGPARSE_OK;
	for (size_t i = 0; i < scan->parser->count; i++) {
		const struct action *other = &scan->parser->actions[i];

		if (other != action && other->group == action->group && other->given) {
			struct buf message = {0};

			buf_puts(&message, "not allowed with argument ");
			action_name(other, &message);
			fail_action(scan, action, buf_text(&message), NULL);
			buf_free(&message);
			return ARGPARSE_USAGE;
		}
	}
	return ARGPARSE_OK;
}

/* An action has its turn, with the words that are its own. */
static enum argparse_outcome take(struct scan *scan, struct action *action,
				  const char *const *words, size_t count)
{
	enum argparse_outcome outcome;
	struct err err = {0};

	action->seen = true;
	if (action->kind == ACTION_SUBCOMMANDS)
		return choose_subcommand(scan, action, words, count);
	outcome = check_words(scan, action, words, count);
	if (outcome != ARGPARSE_OK)
		return outcome;
	if (!count && !action->options.count)
		return ARGPARSE_OK;
	action->given = true;
	outcome = check_conflicts(scan, action);
	if (outcome != ARGPARSE_OK)
		return outcome;
	if (action->kind == ACTION_HELP) {
		if (arghelp_format(scan->parser, scan->out, &err) < 0)
			return broken(err.text, scan->out);
		return ARGPARSE_HELP;
	}
	if (!action->extend)
		action->text_count = 0;
	for (size_t i = 0; i < count; i++) {
		action->texts = xgrow(action->texts, action->text_count, &action->text_capacity,
				      sizeof(*action->texts));
		action->texts[action->text_count++] = words[i];
	}
	return ARGPARSE_OK;
}

/* How many of the words at `start` an option takes; *ret_error when that is too few. */
static size_t count_values(const struct action *action, const char *pattern, const char **ret_error)
{
	const size_t words = strspn(pattern, "A");

	*ret_error = NULL;
	switch (action->nargs) {
	case NARGS_NONE:
		return 0;
	case NARGS_ANY:
		return words;
	case NARGS_OPTIONAL:
		return words ? 1 : 0;
	case NARGS_SOME:
		*ret_error = words ? NULL : "expected at least one argument";
		return words;
	case NARGS_ONE:
	case NARGS_SUBCOMMAND:
		break;
	}
	*ret_error = words ? NULL : "expected one argument";
	return words ? 1 : 0;
}

/* Flags in one word, and what its last option is to be given. */
struct cluster {
	struct action **flags;
	size_t count, capacity;
};

static enum argparse_outcome take_cluster(struct scan *scan, const struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->count; i++) {
		enum argparse_outcome outcome = take(scan, cluster->flags[i], NULL, 0);

		if (outcome != ARGPARSE_OK)
			return outcome;
	}
	return ARGPARSE_OK;
}

/* Takes the option at *index with its values and moves behind them. */
static enum argparse_outcome take_option(struct scan *scan, size_t *index)
{
	struct option_word option = scan->options[*index];
	struct cluster cluster = {0};
	enum argparse_outcome outcome;
	const char *error;
	size_t values;

	if (!option.action) {
		words_add(scan->extras, scan->words[(*index)++]);
		return ARGPARSE_OK;
	}
	/* -abc: as long as these are flags the rest of the word is options, too */
	while (option.value && option.action->nargs == NARGS_NONE) {
		const char name[] = {'-', option.value[0]};
		struct action *next = NULL;

		if (option.name[1] != '-' && *option.value)
			next = argscan_option(scan->parser, name, sizeof(name), &option.name);
		if (!next) {
			outcome = fail_action(scan, option.action, "ignored explicit argument ",
					      option.value);
			goto out;
		}
		cluster.flags = xgrow(cluster.flags, cluster.count, &cluster.capacity,
				      sizeof(struct action *));
		cluster.flags[cluster.count++] = option.action;
		option.action = next;
		option.value = option.value[1] ? option.value + 1 : NULL;
	}
	values = count_values(option.action, option.value ? "A" : scan->pattern + *index + 1,
			      &error);
	if (error) {
		outcome = fail_action(scan, option.action, error, NULL);
		goto out;
	}
	outcome = take_cluster(scan, &cluster);
	if (outcome != ARGPARSE_OK)
		goto out;
	if (option.value) {
		outcome = take(scan, option.action, &option.value, 1);
		*index += 1;
	} else {
		outcome = take(scan, option.action, scan->words + *index + 1, values);
		*index += 1 + values;
	}
out:
	free(cluster.flags);
	return outcome;
}

/* Gives the words from *index on to positionals, as many as fit, and moves behind them. */
static enum argparse_outcome take_positionals(struct scan *scan, size_t *index)
{
	size_t *counts = xcalloc(scan->positional_count, sizeof(*counts));
	const size_t served = argmatch(scan->positionals, scan->positional_count,
				       scan->pattern + *index, counts);
	enum argparse_outcome outcome = ARGPARSE_OK;

	for (size_t i = 0; i < served && outcome == ARGPARSE_OK; i++) {
		struct action *action = scan->positionals[i];
		struct words own = {0};

		for (size_t j = *index; j < *index + counts[i]; j++) {
			if (scan->pattern[j] != '-' || action->kind == ACTION_SUBCOMMANDS)
				words_add(&own, scan->words[j]);
		}
		*index += counts[i];
		outcome = take(scan, action, own.items, own.count);
		free(own.items);
	}
	scan->positionals += served;
	scan->positional_count -= served;
	free(counts);
	return outcome;
}

static enum argparse_outcome take_all(struct scan *scan)
{
	const char *last = memrchr(scan->pattern, 'O', scan->count);
	const size_t stop = last ? (size_t)(last - scan->pattern) + 1 : 0;
	enum argparse_outcome outcome = ARGPARSE_OK;
	size_t index = 0;

	while (index < stop && outcome == ARGPARSE_OK) {
		const size_t next = index + strcspn(scan->pattern + index, "O");
		const size_t before = index;

		if (index != next) {
			outcome = take_positionals(scan, &index);
			if (outcome != ARGPARSE_OK || index > before)
				continue;
		}
		while (index < next)
			words_add(scan->extras, scan->words[index++]);
		outcome = take_option(scan, &index);
	}
	if (outcome == ARGPARSE_OK)
		outcome = take_positionals(scan, &index);
	while (index < scan->count)
		words_add(scan->extras, scan->words[index++]);
	return outcome;
}

static enum argparse_outcome check_required(const struct scan *scan)
{
	const struct parser *parser = scan->parser;
	struct buf message = {0};

	for (size_t i = 0; i < parser->count; i++) {
		const struct action *action = &parser->actions[i];

		if (action->seen || !(action->required || action->kind == ACTION_SUBCOMMANDS))
			continue;
		buf_puts(&message,
			 message.length ? ", " : "the following arguments are required: ");
		action_name(action, &message);
	}
	for (size_t i = 0; i < parser->spec->group_count && !message.length; i++) {
		size_t members = 0, given = 0;
		struct buf names = {0};

		for (size_t j = 0; j < parser->count; j++) {
			const struct action *action = &parser->actions[j];

			if (action->group != (int)i)
				continue;
			members++;
			given += action->given;
			if (action->hidden)
				continue;
			buf_puts(&names, names.length ? " " : "");
			action_name(action, &names);
		}
		if (exclusive(parser, (int)i) && parser->spec->groups[i].required && members &&
		    !given)
			buf_printf(&message, "one of the arguments %s is required",
				   buf_text(&names));
		buf_free(&names);
	}
	if (!message.length)
		return ARGPARSE_OK;
	argscan_fail(parser, message.text, scan->out);
	buf_free(&message);
	return ARGPARSE_USAGE;
}

enum argparse_outcome argscan(struct parser *parser, const char *const *words, size_t count,
			      struct words *extras, struct parser **ret_sub, struct buf *out)
{
	struct action **positionals = xcalloc(parser->count, sizeof(struct action *));
	struct scan scan = {
		.parser = parser,
		.words = words,
		.count = count,
		.pattern = xcalloc(count + 1, 1),
		.options = xcalloc(count, sizeof(struct option_word)),
		.positionals = positionals,
		.extras = extras,
		.ret_sub = ret_sub,
		.out = out,
	};
	enum argparse_outcome outcome;

	for (size_t i = 0; i < parser->count; i++) {
		if (!parser->actions[i].options.count)
			positionals[scan.positional_count++] = &parser->actions[i];
	}
	outcome = classify_all(&scan);
	if (outcome == ARGPARSE_OK)
		outcome = take_all(&scan);
	if (outcome == ARGPARSE_OK)
		outcome = check_required(&scan);
	for (size_t i = 0; i < scan.sub_extras.count; i++)
		words_add(extras, scan.sub_extras.items[i]);
	free(scan.sub_extras.items);
	free(scan.pattern);
	free(scan.options);
	free(positionals);
	return outcome;
}
