/* SPDX-License-Identifier: Apache-2.0 */
#include "argcheck.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/argvalue.h"
#include "../../runtime/mem.h"
#include "argtext.h"

/* One value under judgement. */
struct value {
	const struct parser *parser;
	const struct action *action;
	const char *text;
	union argvalue read;
	struct buf *message;
	struct err *err;
};

static bool is_integer(enum spk_type type)
{
	return type == SPK_TYPE_INT || type == SPK_TYPE_LONG || type == SPK_TYPE_LLONG ||
	       type == SPK_TYPE_INTS;
}

static bool is_real(enum spk_type type)
{
	return type == SPK_TYPE_DOUBLE || type == SPK_TYPE_DOUBLES;
}

/* A value as Python's repr() of it: numbers bare, everything else as the text in quotes. */
static void put_value(enum spk_type type, const union argvalue *value, const char *text,
		      struct buf *out)
{
	char real[REAL_TEXT_SIZE];

	if (is_integer(type)) {
		buf_printf(out, "%lld", value->integer);
	} else if (is_real(type)) {
		real_text(value->real, real);
		buf_puts(out, real);
	} else {
		argtext_repr(out, text);
	}
}

static bool same_real(double a, double b)
{
	return !(a < b) && !(a > b);
}

static bool is_choice(const struct value *value, const char *choice)
{
	const enum spk_type type = value->action->spec->type;
	union argvalue other = {0};

	if (argvalue_read(type, choice, &other, NULL) < 0)
		return false;
	if (is_integer(type))
		return other.integer == value->read.integer;
	if (is_real(type))
		return same_real(other.real, value->read.real);
	switch (type) {
	case SPK_TYPE_DATE:
		return other.date.days == value->read.date.days;
	case SPK_TYPE_TIME:
		return other.time.ns == value->read.time.ns;
	case SPK_TYPE_DURATION:
		return other.duration.ns == value->read.duration.ns;
	default:
		return strcmp(choice, value->text) == 0;
	}
}

static enum argcheck check_choices(const struct value *value)
{
	const struct action *action = value->action;
	const enum spk_type type = action->spec->type;
	struct buf *out = value->message;

	for (size_t i = 0; i < action->choices.count; i++) {
		if (is_choice(value, action->choices.items[i]))
			return ARGCHECK_GOOD;
	}
	buf_puts(out, "invalid choice: ");
	put_value(type, &value->read, value->text, out);
	buf_puts(out, " (choose from ");
	for (size_t i = 0; i < action->choices.count; i++) {
		union argvalue choice = {0};
		const char *text = action->choices.items[i];
		const bool reads = argvalue_read(type, text, &choice, NULL) == 0;

		buf_puts(out, i ? ", " : "");
		put_value(reads ? type : SPK_TYPE_STRING, &choice, text, out);
	}
	buf_putc(out, ')');
	return ARGCHECK_REFUSED;
}

/* Below 0, 0 or above 0, as the value stands to the bound; 0 for types without order. */
static int compare_bound(const struct value *value, const struct spk_bound *bound)
{
	const enum spk_type type = value->action->spec->type;
	__int128 limit;

	if (is_integer(type))
		return value->read.integer < bound->integer ? -1
							    : value->read.integer > bound->integer;
	if (is_real(type))
		return value->read.real < bound->real ? -1 : value->read.real > bound->real;
	if (type != SPK_TYPE_DURATION)
		return 0;
	limit = same_real((double)bound->integer, bound->real)
			? (__int128)bound->integer * 1000000000
			: (__int128)(bound->real * 1e9);
	return value->read.duration.ns < limit ? -1 : value->read.duration.ns > limit;
}

static void put_bound(enum spk_type type, const struct spk_bound *bound, struct buf *out)
{
	char text[DURATION_TEXT_SIZE > REAL_TEXT_SIZE ? DURATION_TEXT_SIZE : REAL_TEXT_SIZE];

	if (is_integer(type)) {
		buf_printf(out, "%lld", bound->integer);
		return;
	}
	if (type == SPK_TYPE_DURATION && bound->real > -9e9 && bound->real < 9e9)
		duration_text((spk_duration){(int64_t)(bound->real * 1e9)}, text);
	else
		real_text(bound->real, text);
	buf_puts(out, text);
}

static enum argcheck check_bounds(const struct value *value)
{
	const struct arg_spec *spec = value->action->spec;
	const bool low = spec->min.set && compare_bound(value, &spec->min) < 0;
	const bool high = spec->max.set && compare_bound(value, &spec->max) > 0;

	if (!low && !high)
		return ARGCHECK_GOOD;
	buf_puts(value->message, "invalid value: ");
	put_value(spec->type, &value->read, value->text, value->message);
	buf_printf(value->message, " (must be at %s ", low ? "least" : "most");
	put_bound(spec->type, low ? &spec->min : &spec->max, value->message);
	buf_putc(value->message, ')');
	return ARGCHECK_REFUSED;
}

static enum argcheck check_pattern(const struct value *value)
{
	const struct argparse_context *context = value->parser->context;
	const char *pattern = value->action->spec->pattern;
	int rc;

	if (!pattern)
		return ARGCHECK_GOOD;
	if (!context->matches) {
		err_set(value->err, "there is nothing to match patterns with");
		return ARGCHECK_BROKEN;
	}
	rc = context->matches(context->data, pattern, value->text, value->err);
	if (rc < 0)
		return ARGCHECK_BROKEN;
	if (rc > 0)
		return ARGCHECK_GOOD;
	buf_puts(value->message, "invalid value: ");
	argtext_repr(value->message, value->text);
	buf_printf(value->message, " (must match %s)", pattern);
	return ARGCHECK_REFUSED;
}

static bool is_task_id(const char *text)
{
	const size_t digits = text[0] == 'T' ? strspn(text + 1, "0123456789") : 0;

	return digits >= 1 && digits <= 6 && text[1 + digits] == '\0';
}

/* The two readings of strings that have rules of their own. */
static enum argcheck check_reading(const struct value *value)
{
	const struct arg_spec *spec = value->action->spec;

	if (spec->as == SPK_TASK_ID) {
		const bool optional = !value->action->required;

		if (is_task_id(value->text) || (optional && !*value->text))
			return ARGCHECK_GOOD;
		buf_puts(value->message, "invalid task ID: ");
		argtext_repr(value->message, value->text);
		buf_puts(value->message, " (must be T followed by 1 to 6 digits)");
		return ARGCHECK_REFUSED;
	}
	if (spec->as != SPK_REASON || (*value->text && !strchr(value->text, '"')))
		return ARGCHECK_GOOD;
	buf_puts(value->message, "invalid reason: ");
	argtext_repr(value->message, value->text);
	buf_puts(value->message,
		 *value->text ? " (must not hold a double quote)" : " (must not be empty)");
	return ARGCHECK_REFUSED;
}

static bool is_placeholder(const struct parser *parser, const char *text)
{
	const char *placeholder = parser->context->placeholder;

	return placeholder && strstr(text, placeholder);
}

/* What a type function of argparse would refuse. */
static enum argcheck check_value(struct value *value)
{
	static enum argcheck (*const checks[])(const struct value *) = {check_reading, check_bounds,
									check_pattern};
	const enum spk_type type = value->action->spec->type;
	enum argcheck result = ARGCHECK_GOOD;

	if (argvalue_read(type, value->text, &value->read, NULL) < 0) {
		buf_printf(value->message, "invalid %s value: ", argvalue_type_word(type));
		argtext_repr(value->message, value->text);
		return ARGCHECK_REFUSED;
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && result == ARGCHECK_GOOD; i++)
		result = checks[i](value);
	return result;
}

/* One word, with its elements where it is a comma list; read before, when it is about choices. */
static enum argcheck check_word(struct value *value, const char *word, bool choices)
{
	const bool commas = value->action->spec->as == SPK_COMMA_LIST;
	char *text = action_transform(value->action, word), *p = text;
	enum argcheck result;
	bool more;

	do {
		char *comma = commas ? strchr(p, ',') : NULL;

		if (comma)
			*comma = '\0';
		value->text = p;
		result = ARGCHECK_GOOD;
		if (!is_placeholder(value->parser, p)) {
			result = check_value(value);
			if (result == ARGCHECK_GOOD && choices)
				result = check_choices(value);
		}
		more = comma != NULL;
		p = comma ? comma + 1 : p;
	} while (more && result == ARGCHECK_GOOD);
	free(text);
	return result;
}

enum argcheck argcheck_words(const struct parser *parser, const struct action *action,
			     const char *const *words, size_t count, struct buf *message,
			     struct err *err)
{
	struct value value = {.parser = parser, .action = action, .message = message, .err = err};
	enum argcheck result = ARGCHECK_GOOD;

	/* argparse reads all the words before it looks at choices */
	for (size_t i = 0; i < count && result == ARGCHECK_GOOD; i++)
		result = check_word(&value, words[i], false);
	for (size_t i = 0; i < count && action->has_choices && result == ARGCHECK_GOOD; i++)
		result = check_word(&value, words[i], true);
	return result;
}

/* One argument as the rules see it: the texts given, or else the text of its default. */
struct effective {
	const struct action *action; /* NULL: not part of this command line */
	bool given;
	char **texts;
	size_t count;
};

static struct effective effective_of(const struct parser *parser, const struct parser *sub,
				     const struct arg_spec *spec)
{
	const struct action *action = parser_find(parser, spec);
	struct effective effective = {0};

	if (!action && sub)
		action = parser_find(sub, spec);
	if (!action)
		return effective;
	effective.action = action;
	effective.given = action->given;
	effective.texts = xcalloc(action->text_count + 1, sizeof(*effective.texts));
	if (spec->type == SPK_TYPE_FLAG) {
		effective.texts[effective.count++] = xstrdup(action->given != spec->off ? "true"
											: "false");
		return effective;
	}
	for (size_t i = 0; i < action->text_count; i++)
		effective.texts[effective.count++] = action_transform(action, action->texts[i]);
	if (!effective.count && spec->has_default && !spec->default_list.count &&
	    (spec->default_text || spec->type != SPK_TYPE_STRING))
		effective.texts[effective.count++] = action_transform(action,
								      action->default_shown);
	return effective;
}

static void effective_free(struct effective *effective)
{
	for (size_t i = 0; i < effective->count; i++)
		free(effective->texts[i]);
	free(effective->texts);
}

static bool has_value(const struct effective *effective, const char *value)
{
	for (size_t i = 0; value && i < effective->count; i++) {
		if (strcmp(effective->texts[i], value) == 0)
			return true;
	}
	return false;
}

static bool same_texts(const struct effective *a, const struct effective *b)
{
	if (!a->count || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->texts[i], b->texts[i]) != 0)
			return false;
	}
	return true;
}

/* Whether its value is not known, for the sake of rules that compare values. */
static bool is_open(const struct parser *parser, const struct effective *effective)
{
	for (size_t i = 0; i < effective->count; i++)
		if (is_placeholder(parser, effective->texts[i]))
			return true;
	return false;
}

/* The words between the names of the second and the first argument; NULL: the rule holds. */
static const char *broken_rule(const struct rule_spec *rule, const struct effective *first,
			       const struct effective *second)
{
	switch (rule->kind) {
	case SPK_RULE_REQUIRES:
		return first->given && !second->given ? "required with" : NULL;
	case SPK_RULE_CONFLICTS:
		return first->given && second->given ? "not allowed with" : NULL;
	case SPK_RULE_DIFFER:
		return same_texts(first, second) ? "must differ from" : NULL;
	case SPK_RULE_REQUIRED_IF:
		return has_value(first, rule->value) && !second->given ? "required when" : NULL;
	case SPK_RULE_REQUIRED_UNLESS:
		return !has_value(first, rule->value) && !second->given ? "required unless" : NULL;
	}
	return NULL;
}

enum argcheck argcheck_rules(const struct parser *parser, const struct parser *sub,
			     const struct parser **ret_parser, struct buf *message)
{
	const struct cookbook_spec *spec = parser->spec;
	enum argcheck result = ARGCHECK_GOOD;

	for (size_t i = 0; i < spec->rule_count && result == ARGCHECK_GOOD; i++) {
		const struct rule_spec *rule = &spec->rules[i];
		struct effective first = effective_of(parser, sub, rule->first);
		struct effective second = effective_of(parser, sub, rule->second);
		bool compares = rule->kind == SPK_RULE_DIFFER || rule->kind >= SPK_RULE_REQUIRED_IF;
		const char *words = NULL;

		if (first.action && second.action &&
		    !(compares && (is_open(parser, &first) || is_open(parser, &second))))
			words = broken_rule(rule, &first, &second);
		if (words) {
			buf_puts(message, "argument ");
			action_name(second.action, message);
			buf_printf(message, ": %s argument ", words);
			action_name(first.action, message);
			if (rule->kind == SPK_RULE_REQUIRED_IF ||
			    rule->kind == SPK_RULE_REQUIRED_UNLESS) {
				buf_puts(message, " is ");
				argtext_repr(message, rule->value ? rule->value : "");
			}
			*ret_parser = sub && parser_find(sub, rule->second) ? sub : parser;
			result = ARGCHECK_REFUSED;
		}
		effective_free(&first);
		effective_free(&second);
	}
	return result;
}
