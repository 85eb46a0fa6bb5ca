/* SPDX-License-Identifier: Apache-2.0 */
#include "argaction.h"

#include <stdlib.h>
#include <string.h>

#include <spicerack/cookbook.h>

#include "../../runtime/argvalue.h"
#include "../../runtime/mem.h"
#include "arghelp.h"
#include "argtext.h"

/* More than anybody reads in a help. */
#define RANGE_LIMIT 10000

static const struct arg_spec ready_made[] = {
	[ACTION_HELP] =
		{
			.name = "help",
			.help = "show this help message and exit",
			.form = SPK_FORM_OPTION,
			.type = SPK_TYPE_FLAG,
			.letter = 'h',
			.group = -1,
		},
	[ACTION_TASK_ID] =
		{
			.name = "task_id",
			.help = "the task that this run belongs to, such as T12345",
			.form = SPK_FORM_OPTION,
			.type = SPK_TYPE_STRING,
			.as = SPK_TASK_ID,
			.letter = 't',
			.group = -1,
		},
	[ACTION_REASON] =
		{
			.name = "reason",
			.help = "why this is done, for the logs; without double quotes",
			.form = SPK_FORM_OPTION,
			.type = SPK_TYPE_STRING,
			.as = SPK_REASON,
			.letter = 'r',
			.group = -1,
		},
	[ACTION_SUBCOMMANDS] = {.name = "",
				.form = SPK_FORM_POSITIONAL,
				.type = SPK_TYPE_STRING,
				.group = -1},
};

static void *keep(struct parser *parser, void *memory)
{
	parser->kept = xgrow(parser->kept, parser->kept_count, &parser->kept_capacity,
			     sizeof(*parser->kept));
	parser->kept[parser->kept_count++] = memory;
	return memory;
}

static bool is_list(enum spk_type type)
{
	return type == SPK_TYPE_STRINGS || type == SPK_TYPE_INTS || type == SPK_TYPE_DOUBLES;
}

void action_name(const struct action *action, struct buf *out)
{
	for (size_t i = 0; i < action->options.count; i++)
		buf_printf(out, "%s%s", i ? "/" : "", action->options.items[i]);
	if (action->options.count)
		return;
	if (action->metavar)
		buf_puts(out, action->metavar);
	else if (action->kind == ACTION_SUBCOMMANDS)
		arghelp_choices(action, out);
	else
		buf_puts(out, action->dest);
}

/* err_set() with `argument NAME: ` in front. */
static int refuse(struct err *err, const struct action *action, const char *reason)
{
	struct buf name = {0};

	action_name(action, &name);
	err_set(err, "argument %s: %s", buf_text(&name), reason);
	buf_free(&name);
	return -1;
}

char *action_transform(const struct action *action, const char *text)
{
	char *copy = xstrdup(text);

	for (char *p = copy; *p; p++) {
		if (action->spec->as == SPK_UPPER && *p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
		else if (action->spec->as == SPK_LOWER && *p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	return copy;
}

static void show_list(const struct arg_spec *spec, struct buf *out)
{
	const spk_strings list = spec->default_list;

	buf_putc(out, '[');
	for (size_t i = 0; i < list.count; i++) {
		union argvalue value = {0};
		char real[REAL_TEXT_SIZE];

		buf_puts(out, i ? ", " : "");
		if (spec->type == SPK_TYPE_STRINGS ||
		    argvalue_read(spec->type, list.items[i], &value, NULL) < 0) {
			argtext_repr(out, list.items[i]);
		} else if (spec->type == SPK_TYPE_INTS) {
			buf_printf(out, "%lld", value.integer);
		} else {
			real_text(value.real, real);
			buf_puts(out, real);
		}
	}
	buf_putc(out, ']');
}

/* What %(default)s stands for. */
static void show_default(const struct action *action, struct buf *out)
{
	const struct arg_spec *spec = action->spec;
	char duration[DURATION_TEXT_SIZE], real[REAL_TEXT_SIZE];

	if (spec->type == SPK_TYPE_FLAG) {
		buf_puts(out, spec->off ? "True" : "False");
		return;
	}
	if (spec->default_computed) {
		buf_puts(out, "computed");
		return;
	}
	if (!spec->has_default) {
		buf_puts(out, "None");
		return;
	}
	switch (spec->type) {
	case SPK_TYPE_INT:
	case SPK_TYPE_LONG:
	case SPK_TYPE_LLONG:
		buf_printf(out, "%lld", spec->default_int);
		break;
	case SPK_TYPE_DOUBLE:
		real_text(spec->default_double, real);
		buf_puts(out, real);
		break;
	case SPK_TYPE_DURATION:
		duration_text(spec->default_duration, duration);
		buf_puts(out, duration);
		break;
	case SPK_TYPE_STRINGS:
	case SPK_TYPE_INTS:
	case SPK_TYPE_DOUBLES:
		show_list(spec, out);
		break;
	default:
		buf_puts(out, spec->default_text ? spec->default_text : "None");
		break;
	}
}

/* -f and --file, or the names that the row chose itself. */
static void name_options(struct parser *parser, struct action *action)
{
	const struct arg_spec *spec = action->spec;
	const size_t longs = spec->names.count ? spec->names.count : 1;
	const char **options = keep(parser, xcalloc(longs + 1, sizeof(*options)));
	size_t count = 0;

	if (spec->letter)
		options[count++] = keep(parser, xasprintf("-%c", spec->letter));
	for (size_t i = 0; i < spec->names.count; i++)
		options[count++] = spec->names.items[i];
	if (!spec->names.count) {
		char *name = keep(parser, xasprintf("--%s", spec->name));

		for (char *p = name; (p = strchr(p, '_')) != NULL;)
			*p = '-';
		options[count++] = name;
	}
	action->options = (spk_strings){options, count};
}

static int resolve_choices(struct parser *parser, struct action *action, struct err *err)
{
	const struct arg_spec *spec = action->spec;
	const struct argparse_context *context = parser->context;
	unsigned long long size = 0;
	const char **texts;
	struct err why = {0};

	action->has_choices = spec->choices.count > 0 || spec->choices_from || spec->has_range;
	action->choices = spec->choices;
	if (spec->choices_from) {
		if (!context->choices)
			return refuse(err, action, "there is no configuration to choose from");
		if (context->choices(context->data, spec->choices_from, &action->choices, &why) < 0)
			return refuse(err, action, why.text);
	} else if (spec->has_range && !spec->choices.count) {
		if (spec->range_last >= spec->range_first)
			size = (unsigned long long)spec->range_last -
			       (unsigned long long)spec->range_first + 1;
		if (size > RANGE_LIMIT || (size == 0 && spec->range_last >= spec->range_first))
			return refuse(err, action, "the range of choices is too large");
		texts = keep(parser, xcalloc(size, sizeof(*texts)));
		for (unsigned long long i = 0; i < size; i++)
			texts[i] = keep(parser,
					xasprintf("%lld", spec->range_first + (long long)i));
		action->choices = (spk_strings){texts, size};
	}
	return 0;
}

static enum action_nargs nargs_of(const struct arg_spec *spec)
{
	if (spec->type == SPK_TYPE_FLAG)
		return NARGS_NONE;
	switch (spec->arity) {
	case SPK_ZERO_OR_ONE:
		return NARGS_OPTIONAL;
	case SPK_ZERO_OR_MORE:
		return NARGS_ANY;
	case SPK_ONE_OR_MORE:
		return NARGS_SOME;
	case SPK_ONE:
		break;
	}
	/* a comma list holds its several values in one word */
	return is_list(spec->type) && !spec->repeat && spec->as != SPK_COMMA_LIST ? NARGS_SOME
										  : NARGS_ONE;
}

static const struct group_spec *exclusive_group(const struct parser *parser,
						const struct action *action)
{
	const struct group_spec *group;

	if (action->group < 0 || (size_t)action->group >= parser->spec->group_count)
		return NULL;
	group = &parser->spec->groups[action->group];
	return group->exclusive ? group : NULL;
}

static bool many(enum spk_arity arity)
{
	return arity == SPK_ZERO_OR_MORE || arity == SPK_ONE_OR_MORE;
}

/* What argparse refuses when an argument is added, and what no field could hold. */
static int judge(const struct parser *parser, const struct action *action, struct err *err)
{
	const struct arg_spec *spec = action->spec;
	const bool positional = !action->options.count;
	struct buf taken = {0};
	size_t conflicts = 0;

	if (positional && spec->type == SPK_TYPE_FLAG)
		return refuse(err, action, "a flag cannot be positional");
	if (positional && spec->required)
		return refuse(err, action, "'required' is an invalid argument for positionals");
	if (spec->repeat && (positional || !(is_list(spec->type) || spec->type == SPK_TYPE_CUSTOM)))
		return refuse(err, action, "only an option with a list can be repeated");
	if (many(spec->arity) && !is_list(spec->type) && spec->type != SPK_TYPE_CUSTOM &&
	    spec->type != SPK_TYPE_FLAG)
		return refuse(err, action, "several values need a list");
	if (exclusive_group(parser, action) && action->required)
		return refuse(err, action, "mutually exclusive arguments must be optional");
	for (size_t i = 0; i < action->options.count; i++) {
		const char *option = action->options.items[i];

		if (option[0] != '-' || option[1] == '\0' || strcmp(option, "--") == 0)
			return refuse(err, action, "the name of an option starts with a dash");
		for (size_t j = 0; j < parser->count; j++) {
			const spk_strings other = parser->actions[j].options;

			for (size_t k = 0; k < other.count; k++) {
				if (strcmp(other.items[k], option) == 0)
					buf_printf(&taken, "%s%s", conflicts++ ? ", " : "", option);
			}
		}
	}
	if (conflicts) {
		struct err why;

		err_set(&why, "conflicting option string%s: %s", conflicts > 1 ? "s" : "",
			buf_text(&taken));
		buf_free(&taken);
		return refuse(err, action, why.text);
	}
	return 0;
}

bool action_negative_number(const char *text)
{
	size_t digits;

	if (*text++ != '-')
		return false;
	digits = strspn(text, "0123456789");
	text += digits;
	if (*text == '.') {
		text++;
		digits = strspn(text, "0123456789");
		text += digits;
	}
	return digits && (*text == '\0' || strcmp(text, "\n") == 0);
}

static int add(struct parser *parser, enum action_kind kind, const struct arg_spec *spec,
	       struct err *err)
{
	struct action *action = &parser->actions[parser->count];
	struct buf text = {0};

	*action = (struct action){
		.kind = kind,
		.nargs = nargs_of(spec),
		.spec = spec,
		.dest = spec->name,
		.metavar = spec->metavar,
		.help = spec->help,
		.required = spec->required,
		.hidden = spec->hidden,
		.extend = spec->repeat,
		.group = spec->group,
	};
	if (kind == ACTION_HELP) {
		static const char *const options[] = {"-h", "--help"};

		action->options = (spk_strings){options, 2};
	} else if (spec->form == SPK_FORM_OPTION) {
		name_options(parser, action);
	} else if (action->nargs == NARGS_ONE || action->nargs == NARGS_SOME) {
		action->required = true;
	} else if (action->nargs == NARGS_ANY) {
		action->required = !spec->has_default && !spec->default_computed;
	}
	if (kind == ACTION_SUBCOMMANDS) {
		action->nargs = NARGS_SUBCOMMAND;
	} else if (kind != ACTION_HELP) {
		show_default(action, &text);
		action->default_shown = keep(parser, xstrdup(buf_text(&text)));
		buf_free(&text);
		if (resolve_choices(parser, action, err) < 0)
			return -1;
	}
	if (judge(parser, action, err) < 0)
		return -1;
	for (size_t i = 0; i < action->options.count; i++)
		parser->numeric_options |= action_negative_number(action->options.items[i]);
	parser->count++;
	return 0;
}

/* -t and -r: rows of our own, optional ones with an empty default. */
static int add_ready_made(struct parser *parser, enum action_kind kind, uint32_t presence,
			  struct err *err)
{
	struct arg_spec *spec;

	if (presence == SPK_ABSENT)
		return 0;
	spec = keep(parser, xcalloc(1, sizeof(*spec)));
	*spec = ready_made[kind];
	spec->required = presence == SPK_REQUIRED;
	if (!spec->required) {
		spec->has_default = true;
		spec->default_text = "";
	}
	return add(parser, kind, spec, err);
}

static int add_rows(struct parser *parser, const struct arg_spec *rows, size_t count,
		    struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (add(parser, ACTION_ROW, &rows[i], err) < 0)
			return -1;
	}
	return 0;
}

static int add_subcommands(struct parser *parser, struct err *err)
{
	const struct cookbook_spec *spec = parser->spec;
	const char **names = keep(parser, xcalloc(spec->subcommand_count, sizeof(*names)));
	struct buf prefix = {0};

	/* the usage of a subparser starts with the positionals that come before its name */
	arghelp_prefix(parser, &prefix);
	keep(parser, prefix.text);
	parser->subparsers = xcalloc(spec->subcommand_count, sizeof(*parser->subparsers));
	for (size_t i = 0; i < spec->subcommand_count; i++) {
		const struct subcommand_spec *subcommand = &spec->subcommands[i];
		struct parser *sub = &parser->subparsers[i];

		for (size_t j = 0; j < i; j++) {
			if (strcmp(names[j], subcommand->name) == 0)
				return err_set(err, "conflicting subparser: %s", names[j]);
		}
		names[i] = subcommand->name;
		*sub = (struct parser){
			.spec = spec, .context = parser->context, .subcommand = subcommand};
		sub->prog = keep(parser, xasprintf("%s %s", buf_text(&prefix), subcommand->name));
		sub->actions = xcalloc(subcommand->arg_count + 1, sizeof(*sub->actions));
		if (add(sub, ACTION_HELP, &ready_made[ACTION_HELP], err) < 0 ||
		    add_rows(sub, subcommand->args, subcommand->arg_count, err) < 0)
			return -1;
	}
	if (add(parser, ACTION_SUBCOMMANDS, &ready_made[ACTION_SUBCOMMANDS], err) < 0)
		return -1;
	parser->actions[parser->count - 1].choices = (spk_strings){names, spec->subcommand_count};
	parser->actions[parser->count - 1].has_choices = true;
	return 0;
}

int parser_build(struct parser *parser, const struct cookbook_spec *spec,
		 const struct argparse_context *context, struct err *err)
{
	*parser = (struct parser){.spec = spec, .context = context, .prog = context->program};
	parser->actions = xcalloc(spec->arg_count + 4, sizeof(*parser->actions));
	if (add(parser, ACTION_HELP, &ready_made[ACTION_HELP], err) < 0 ||
	    add_ready_made(parser, ACTION_TASK_ID, spec->task_id, err) < 0 ||
	    add_ready_made(parser, ACTION_REASON, spec->reason, err) < 0 ||
	    add_rows(parser, spec->args, spec->arg_count, err) < 0)
		return -1;
	return spec->subcommand_count ? add_subcommands(parser, err) : 0;
}

void parser_free(struct parser *parser)
{
	for (size_t i = 0; parser->subparsers && i < parser->spec->subcommand_count; i++)
		parser_free(&parser->subparsers[i]);
	free(parser->subparsers);
	for (size_t i = 0; parser->actions && i < parser->count; i++)
		free(parser->actions[i].texts);
	free(parser->actions);
	for (size_t i = 0; i < parser->kept_count; i++)
		free(parser->kept[i]);
	free(parser->kept);
	*parser = (struct parser){.spec = parser->spec};
}

struct action *parser_find(const struct parser *parser, const struct arg_spec *spec)
{
	for (size_t i = 0; i < parser->count; i++) {
		if (parser->actions[i].spec == spec)
			return &parser->actions[i];
	}
	return NULL;
}
