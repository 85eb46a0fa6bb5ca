/* SPDX-License-Identifier: Apache-2.0 */
#include "speccheck.h"

#include <spicerack/cookbook.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/argvalue.h"
#include "../../runtime/pattern.h"
#include "../argument/argaction.h"
#include "../argument/argcheck.h"
#include "../argument/arghelp.h"
#include "../setting/settings.h"

#define TITLE_MAX 100
#define SECOND 1000000000LL
#define LONGEST (30 * 86400 * SECOND)
#define HELP_WIDTH 78

/* What is judged. */
struct subject {
	const struct cookbook_spec *spec;
	const struct settings *settings;
	struct findings *findings;
	const struct subcommand_spec *subcommand; /* NULL: the cookbook's own table */
};

static int resolve_choices(void *data, const char *path, spk_strings *ret, struct err *err)
{
	if (!data || settings_list(data, path, ret, err) < 0)
		*ret = (spk_strings){0};
	return 0;
}

static int match_pattern(void *data, const char *pattern, const char *text, struct err *err)
{
	return pattern_matches(pattern, text, err);
}

struct argparse_context speccheck_context(const struct settings *settings)
{
	return (struct argparse_context){
		.program = "cookbook",
		.owner = "",
		.columns = HELP_WIDTH,
		.choices = resolve_choices,
		.matches = match_pattern,
		.data = (void *)(uintptr_t)settings,
	};
}

static void __attribute__((__format__(__printf__, 4, 5)))
tell(const struct subject *subject, enum finding_kind kind, const struct arg_spec *arg,
     const char *format, ...)
{
	struct buf text = {0};
	va_list args;

	if (subject->subcommand)
		buf_printf(&text, "subcommand '%s': ", subject->subcommand->name);
	buf_printf(&text, "argument '%s': ", arg->name);
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	findings_add(subject->findings, kind, NULL, arg->row_address, "%s", text.text);
	buf_free(&text);
}

/* Values that a row itself gives */

/* The texts that stand for the default of a row; none when it has none, or it is computed. */
static size_t default_texts(const struct arg_spec *arg, char *room, size_t size,
			    const char **ret_texts)
{
	char text[DURATION_TEXT_SIZE > REAL_TEXT_SIZE ? DURATION_TEXT_SIZE : REAL_TEXT_SIZE] = "";

	if (!arg->has_default || arg->default_list.count)
		return 0;
	switch (arg->type) {
	case SPK_TYPE_INT:
	case SPK_TYPE_LONG:
	case SPK_TYPE_LLONG:
		snprintf(room, size, "%lld", arg->default_int);
		break;
	case SPK_TYPE_DOUBLE:
		real_text(arg->default_double, text);
		snprintf(room, size, "%s", text);
		break;
	case SPK_TYPE_DURATION:
		duration_text(arg->default_duration, text);
		snprintf(room, size, "%s", text);
		break;
	case SPK_TYPE_STRING:
	case SPK_TYPE_PATH:
	case SPK_TYPE_DATE:
	case SPK_TYPE_TIME:
		*ret_texts = arg->default_text;
		return arg->default_text != NULL;
	default:
		return 0;
	}
	*ret_texts = room;
	return 1;
}

/* Whether choices are known here: those of a list that is not configured are not. */
static bool knows_choices(const struct action *action)
{
	return !action->spec->choices_from || action->choices.count > 0;
}

static void judge_words(const struct subject *subject, const struct parser *parser,
			const struct action *action, enum finding_kind kind, const char *before,
			const char *const *words, size_t count)
{
	struct buf message = {0};
	struct err err = {{0}};

	if (knows_choices(action) &&
	    argcheck_words(parser, action, words, count, &message, &err) == ARGCHECK_REFUSED)
		tell(subject, kind, action->spec, "%s%s", before, buf_text(&message));
	buf_free(&message);
}

static void judge_default(const struct subject *subject, const struct parser *parser,
			  const struct action *action)
{
	const struct arg_spec *arg = action->spec;
	const char *text = NULL;
	char room[DURATION_TEXT_SIZE];

	if (arg->required && (arg->has_default || arg->default_computed))
		tell(subject, FINDING_ARGUMENT_DEFAULT, arg,
		     "required, so that its default is never used");
	if (arg->type == SPK_TYPE_FLAG || arg->type == SPK_TYPE_CUSTOM)
		return;
	if (default_texts(arg, room, sizeof(room), &text))
		judge_words(subject, parser, action, FINDING_ARGUMENT_DEFAULT,
			    "its default is refused: ", &text, 1);
	else if (arg->has_default && arg->default_list.count)
		judge_words(subject, parser, action, FINDING_ARGUMENT_DEFAULT,
			    "its default is refused: ", arg->default_list.items,
			    arg->default_list.count);
}

static void judge_choices(const struct subject *subject, const struct parser *parser,
			  const struct action *action)
{
	const struct arg_spec *arg = action->spec;
	spk_strings known;
	struct err err;

	if (arg->choices_from &&
	    (!subject->settings ||
	     settings_list(subject->settings, arg->choices_from, &known, &err) < 0))
		tell(subject, FINDING_CHOICES_NOT_CONFIGURED, arg,
		     "there is no list '%s' here, so that it can be given no value",
		     arg->choices_from);
	for (size_t i = 0; i < arg->choices.count; i++) {
		struct buf before = {0};

		buf_printf(&before, "its choice '%.64s' is refused: ", arg->choices.items[i]);
		judge_words(subject, parser, action, FINDING_ARGUMENT_CHOICES, buf_text(&before),
			    &arg->choices.items[i], 1);
		buf_free(&before);
		for (size_t k = 0; k < i; k++) {
			if (strcmp(arg->choices.items[i], arg->choices.items[k]) == 0) {
				tell(subject, FINDING_ARGUMENT_CHOICES, arg,
				     "its choice '%s' is there twice", arg->choices.items[i]);
				break;
			}
		}
	}
}

static void judge_pattern(const struct subject *subject, const struct arg_spec *arg)
{
	struct err err;

	if (arg->pattern && !pattern_compile(arg->pattern, &err))
		tell(subject, FINDING_ARGUMENT_PATTERN, arg, "%s", err.text);
}

static void judge_help(const struct subject *subject, const struct parser *parser,
		       const struct action *action)
{
	struct err err;

	if (!action->hidden && arghelp_check(parser, action, &err) < 0)
		tell(subject, FINDING_ARGUMENT_HELP, action->spec, "%s", err.text);
}

/* An option that promises what only the host can keep. */
static void judge_dry_run(const struct subject *subject, const struct action *action)
{
	static const char *const names[] = {"--dry-run", "--dryrun", "--noop", "--no-op",
					    "--check-only"};

	for (size_t i = 0; i < action->options.count; i++)
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (strcmp(action->options.items[i], names[k]) == 0)
				tell(subject, FINDING_OWN_DRY_RUN, action->spec, "the option %s",
				     names[k]);
}

/* Tables and rules */

static void judge_table(struct subject *subject, const struct parser *parser)
{
	const struct arg_spec *open_ended = NULL;

	subject->subcommand = parser->subcommand;
	for (size_t i = 0; i < parser->count; i++) {
		const struct action *action = &parser->actions[i];

		if (action->kind != ACTION_ROW)
			continue;
		judge_pattern(subject, action->spec);
		judge_choices(subject, parser, action);
		judge_default(subject, parser, action);
		judge_help(subject, parser, action);
		judge_dry_run(subject, action);
		if (action->spec->form != SPK_FORM_POSITIONAL)
			continue;
		if (open_ended)
			tell(subject, FINDING_ARGUMENT_ORDER, action->spec,
			     "it stands behind '%s', which takes any number of values",
			     open_ended->name);
		if (action->nargs == NARGS_ANY || action->nargs == NARGS_SOME)
			open_ended = action->spec;
	}
	subject->subcommand = NULL;
}

static const struct action *action_of(const struct parser *parser, const struct arg_spec *arg,
				      const struct parser **ret_parser)
{
	const struct action *action = parser_find(parser, arg);

	*ret_parser = parser;
	for (size_t i = 0; !action && i < parser->spec->subcommand_count; i++) {
		*ret_parser = &parser->subparsers[i];
		action = parser_find(*ret_parser, arg);
	}
	return action;
}

/* The value that a rule compares with must be one that the argument can have. */
static void judge_rule_value(const struct subject *subject, const struct parser *parser,
			     const struct rule_spec *rule)
{
	const struct parser *owner;
	const struct action *action = action_of(parser, rule->first, &owner);

	if (rule->first->type != SPK_TYPE_FLAG) {
		if (action)
			judge_words(subject, owner, action, FINDING_BAD_RULE,
				    "a rule compares it with what it cannot be: ", &rule->value, 1);
	} else if (strcmp(rule->value, "true") != 0 && strcmp(rule->value, "false") != 0) {
		tell(subject, FINDING_BAD_RULE, rule->first,
		     "a rule compares it with '%s', a flag is 'true' or 'false'", rule->value);
	}
}

static bool is_pair(const struct rule_spec *rule, const struct arg_spec *a,
		    const struct arg_spec *b)
{
	return (rule->first == a && rule->second == b) || (rule->first == b && rule->second == a);
}

static void judge_rules(const struct subject *subject, const struct parser *parser)
{
	const struct cookbook_spec *spec = subject->spec;

	for (size_t i = 0; i < spec->rule_count; i++) {
		const struct rule_spec *rule = &spec->rules[i];

		if (rule->kind >= SPK_RULE_REQUIRED_IF)
			judge_rule_value(subject, parser, rule);
		if (rule->kind != SPK_RULE_CONFLICTS)
			continue;
		if (rule->first->required || rule->second->required)
			tell(subject, FINDING_BAD_RULE, rule->second,
			     "it conflicts with '%s', and one of them is required",
			     rule->first->name);
		for (size_t k = 0; k < spec->rule_count; k++)
			if (spec->rules[k].kind == SPK_RULE_REQUIRES &&
			    is_pair(&spec->rules[k], rule->first, rule->second))
				tell(subject, FINDING_BAD_RULE, rule->second,
				     "it conflicts with '%s', and another rule requires both",
				     rule->first->name);
	}
}

static void judge_arguments(struct subject *subject)
{
	const struct argparse_context context = speccheck_context(subject->settings);
	struct parser parser;
	struct err err;

	if (parser_build(&parser, subject->spec, &context, &err) < 0) {
		findings_add(subject->findings, FINDING_BAD_TABLE, NULL, subject->spec->address,
			     "%s", err.text);
	} else {
		judge_table(subject, &parser);
		for (size_t i = 0; i < subject->spec->subcommand_count; i++)
			judge_table(subject, &parser.subparsers[i]);
		judge_rules(subject, &parser);
	}
	parser_free(&parser);
}

/* The descriptor */

static void judge_texts(const struct subject *subject)
{
	const struct cookbook_spec *spec = subject->spec;
	size_t length = spec->title ? strlen(spec->title) : 0;

	if (!length)
		findings_add(subject->findings, FINDING_NO_TITLE, NULL, spec->address,
			     "it has no title");
	if (spec->title_changed)
		findings_add(subject->findings, FINDING_TEXT_NOT_ONE_LINE, NULL, spec->address,
			     "the title is more than one line of printable text");
	if (length > TITLE_MAX)
		findings_add(subject->findings, FINDING_LONG_TITLE, NULL, spec->address,
			     "the title is %zu bytes long", length);
	if (spec->owner_changed)
		findings_add(subject->findings, FINDING_TEXT_NOT_ONE_LINE, NULL, spec->address,
			     "the owner is more than one line of printable text");
}

static void judge_times(const struct subject *subject)
{
	const struct cookbook_spec *spec = subject->spec;
	char timeout[DURATION_TEXT_SIZE], ttl[DURATION_TEXT_SIZE];

	duration_text(spec->timeout, timeout);
	duration_text(spec->lock_ttl, ttl);
	if (spec->timeout.ns && (spec->timeout.ns < SECOND || spec->timeout.ns > LONGEST))
		findings_add(subject->findings, FINDING_ODD_TIMEOUT, NULL, spec->address,
			     "a timeout of %s", timeout);
	if (spec->lock_ttl.ns && (spec->lock_ttl.ns < SECOND || spec->lock_ttl.ns > LONGEST))
		findings_add(subject->findings, FINDING_ODD_LOCK, NULL, spec->address,
			     "a lock for %s", ttl);
	else if (spec->lock_ttl.ns && spec->lock_ttl.ns < spec->timeout.ns)
		findings_add(subject->findings, FINDING_ODD_LOCK, NULL, spec->address,
			     "the lock is for %s, but a run may take %s", ttl, timeout);
}

void speccheck(const struct cookbook_spec *spec, const struct settings *settings,
	       struct findings *findings)
{
	struct subject subject = {.spec = spec, .settings = settings, .findings = findings};

	judge_texts(&subject);
	judge_times(&subject);
	judge_arguments(&subject);
}
