/* SPDX-License-Identifier: Apache-2.0 */
#include "arghelp.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/argvalue.h"
#include "../../runtime/mem.h"
#include "argtext.h"
#include "argusage.h"

/* Columns at which helps start, at most; less on a narrow terminal. */
#define HELP_COLUMN 24
#define INDENT 2

void arghelp_choices(const struct action *action, struct buf *out)
{
	buf_putc(out, '{');
	for (size_t i = 0; i < action->choices.count; i++)
		buf_printf(out, "%s%s", i ? "," : "", action->choices.items[i]);
	buf_putc(out, '}');
}

/* The word for one value: its metavar, its choices, or its name; upper case for an option. */
static void put_metavar(const struct action *action, struct buf *out)
{
	if (action->metavar) {
		buf_puts(out, action->metavar);
	} else if (action->has_choices) {
		arghelp_choices(action, out);
	} else {
		for (const char *p = action->dest; *p; p++)
			buf_putc(out, action->options.count && *p >= 'a' && *p <= 'z'
					      ? (char)(*p - 'a' + 'A')
					      : *p);
	}
}

void arghelp_values(const struct action *action, struct buf *out)
{
	struct buf metavar = {0};
	const char *text;

	put_metavar(action, &metavar);
	text = buf_text(&metavar);
	switch (action->nargs) {
	case NARGS_NONE:
		break;
	case NARGS_ONE:
		buf_puts(out, text);
		break;
	case NARGS_OPTIONAL:
		buf_printf(out, "[%s]", text);
		break;
	case NARGS_ANY:
		buf_printf(out, "[%s ...]", text);
		break;
	case NARGS_SOME:
		buf_printf(out, "%s [%s ...]", text, text);
		break;
	case NARGS_SUBCOMMAND:
		buf_printf(out, "%s ...", text);
		break;
	}
	buf_free(&metavar);
}

/* `-f FILE, --file FILE`, or the word of a positional. */
static void put_invocation(const struct action *action, struct buf *out)
{
	if (!action->options.count)
		put_metavar(action, out);
	for (size_t i = 0; i < action->options.count; i++) {
		buf_printf(out, "%s%s", i ? ", " : "", action->options.items[i]);
		if (action->nargs != NARGS_NONE) {
			buf_putc(out, ' ');
			arghelp_values(action, out);
		}
	}
}

/* What %(name)s may stand for. */
struct expansion {
	const char *prog;
	const struct action *action; /* NULL: only %(prog)s */
};

static const char *type_name(const struct action *action)
{
	const struct arg_spec *spec = action->spec;

	static const char *const readings[] = {
		[SPK_UPPER] = "upper",
		[SPK_LOWER] = "lower",
		[SPK_TASK_ID] = "task ID",
		[SPK_REASON] = "reason",
	};

	if ((size_t)spec->as < sizeof(readings) / sizeof(readings[0]) && readings[spec->as])
		return readings[spec->as];
	if (spec->type == SPK_TYPE_STRING || spec->type == SPK_TYPE_STRINGS ||
	    spec->type == SPK_TYPE_FLAG)
		return "None";
	return argvalue_type_word(spec->type);
}

static int put_expanded(const struct expansion *with, const char *name, size_t length,
			struct buf *out)
{
	static const char *const nargs[] = {
		[NARGS_NONE] = "0", [NARGS_ONE] = "None", [NARGS_OPTIONAL] = "?",
		[NARGS_ANY] = "*",  [NARGS_SOME] = "+",   [NARGS_SUBCOMMAND] = "A..."};
	static const char *const names[] = {"prog", "default",  "choices", "metavar",
					    "type", "required", "nargs",   "dest"};
	const struct action *action = with->action;
	size_t which = 0;

	while (which < sizeof(names) / sizeof(names[0]) &&
	       (strlen(names[which]) != length || strncmp(names[which], name, length) != 0))
		which++;
	if (which == 0) {
		buf_puts(out, with->prog);
		return 0;
	}
	if (!action)
		return -1;
	switch (which) {
	case 1:
		if (!action->default_shown)
			return -1;
		buf_puts(out, action->default_shown);
		return 0;
	case 2:
		buf_puts(out, action->has_choices ? "" : "None");
		for (size_t i = 0; i < action->choices.count; i++)
			buf_printf(out, "%s%s", i ? ", " : "", action->choices.items[i]);
		return 0;
	case 3:
		buf_puts(out, action->metavar ? action->metavar : "None");
		return 0;
	case 4:
		buf_puts(out, type_name(action));
		return 0;
	case 5:
		buf_puts(out, action->required ? "True" : "False");
		return 0;
	case 6:
		buf_puts(out, nargs[action->nargs]);
		return 0;
	case 7:
		buf_puts(out, action->dest);
		return 0;
	default:
		return -1;
	}
}

/* Expands %% and %(name)s; other conversions are refused. */
static int expand(const struct expansion *with, const char *text, struct buf *out, struct err *err)
{
	const char *p = text, *percent;

	while ((percent = strchr(p, '%')) != NULL) {
		const char *close = strchr(percent, ')');

		buf_add(out, p, (size_t)(percent - p));
		if (percent[1] == '%') {
			buf_putc(out, '%');
			p = percent + 2;
			continue;
		}
		if (percent[1] != '(' || !close || close[1] != 's' ||
		    put_expanded(with, percent + 2, (size_t)(close - percent - 2), out) < 0)
			return err_set(
				err,
				"cannot expand the help text at '%.20s' (a percent sign is %%%%)",
				percent);
		p = close + 2;
	}
	buf_puts(out, p);
	return 0;
}

int arghelp_text(const struct parser *parser, const struct action *action, struct buf *out,
		 struct err *err)
{
	const struct expansion with = {.prog = parser->prog, .action = action};

	return action->help ? expand(&with, action->help, out, err) : 0;
}

int arghelp_check(const struct parser *parser, const struct action *action, struct err *err)
{
	struct buf shown = {0};
	int rc = arghelp_text(parser, action, &shown, err);

	buf_free(&shown);
	return rc;
}

/* What the sections of one help share. */
struct page {
	const struct parser *parser;
	size_t width;   /* of the text */
	size_t longest; /* of the invocations, with their indentation */
	struct buf *out;
	struct err *err;
};

static int put_text(const struct page *page, const char *text, size_t indent)
{
	struct buf expanded = {0};
	int rc = 0;

	if (!text)
		return 0;
	if (strstr(text, "%(prog)")) {
		const struct expansion with = {.prog = page->parser->prog};

		rc = expand(&with, text, &expanded, page->err);
	} else {
		buf_puts(&expanded, text);
	}
	if (rc == 0) {
		argtext_indent(page->out, buf_text(&expanded), indent);
		buf_puts(page->out, "\n\n");
	}
	buf_free(&expanded);
	return rc;
}

static size_t help_column(const struct page *page)
{
	const size_t narrow = page->width > 20 + 2 * INDENT ? page->width - 20 : 2 * INDENT;
	const size_t most = narrow < HELP_COLUMN ? narrow : HELP_COLUMN;

	return page->longest + 2 < most ? page->longest + 2 : most;
}

static bool has_text(const char *help)
{
	struct buf text = {0};
	bool any;

	buf_puts(&text, help);
	argtext_strip(&text);
	any = text.length > 0;
	buf_free(&text);
	return any;
}

static int put_action(const struct page *page, const struct action *action, size_t indent)
{
	const struct expansion with = {.prog = page->parser->prog, .action = action};
	const size_t column = help_column(page);
	const size_t room = column > indent + 2 ? column - indent - 2 : 0;
	const size_t help_width = page->width > column + 11 ? page->width - column : 11;
	struct buf header = {0}, help = {0}, shown = {0};
	size_t length;
	int rc = 0;

	put_invocation(action, &header);
	length = argtext_length(buf_text(&header));
	buf_fill(page->out, ' ', indent);
	buf_puts(page->out, buf_text(&header));
	if (!action->help || !*action->help) {
		buf_putc(page->out, '\n');
		goto out;
	}
	if (length <= room)
		buf_fill(page->out, ' ', room - length + 2);
	else
		buf_putc(page->out, '\n');
	if (!has_text(action->help)) {
		if (length <= room)
			buf_putc(page->out, '\n');
		goto out;
	}
	buf_puts(&help, action->help);
	if (!page->parser->context->plain_help && !strstr(action->help, "%(default)") &&
	    action->default_shown &&
	    (action->options.count || action->nargs == NARGS_OPTIONAL ||
	     action->nargs == NARGS_ANY))
		buf_puts(&help, " (default: %(default)s)");
	rc = expand(&with, buf_text(&help), &shown, page->err);
	if (rc == 0)
		argtext_wrap(page->out, buf_text(&shown), help_width, length <= room ? 0 : column,
			     column);
out:
	buf_free(&header);
	buf_free(&help);
	buf_free(&shown);
	return rc;
}

static void measure(struct page *page, const struct action *action)
{
	struct buf text = {0};
	size_t length;

	put_invocation(action, &text);
	length = argtext_length(buf_text(&text)) + INDENT;
	if (length > page->longest)
		page->longest = length;
	buf_free(&text);
}

static void measure_all(struct page *page)
{
	const struct parser *parser = page->parser;

	for (size_t i = 0; i < parser->count; i++) {
		if (!parser->actions[i].hidden)
			measure(page, &parser->actions[i]);
	}
	for (size_t i = 0; parser->subparsers && i < parser->spec->subcommand_count; i++) {
		const struct subcommand_spec *subcommand = &parser->spec->subcommands[i];
		const size_t length = argtext_length(subcommand->name) + INDENT;

		if (subcommand->help && length > page->longest)
			page->longest = length;
	}
}

/* Whether an action is shown under the title of its own group. */
static const struct group_spec *titled_group(const struct parser *parser,
					     const struct action *action)
{
	const struct group_spec *group;

	if (action->group < 0 || (size_t)action->group >= parser->spec->group_count)
		return NULL;
	group = &parser->spec->groups[action->group];
	return group->title || !group->exclusive ? group : NULL;
}

static int put_subcommands(const struct page *page)
{
	const struct cookbook_spec *spec = page->parser->spec;

	for (size_t i = 0; i < spec->subcommand_count; i++) {
		const struct action line = {
			.nargs = NARGS_ONE,
			.dest = spec->subcommands[i].name,
			.metavar = spec->subcommands[i].name,
			.help = spec->subcommands[i].help,
			.default_shown = "None",
			.spec = &(const struct arg_spec){.type = SPK_TYPE_STRING},
		};

		if (line.help && put_action(page, &line, 2 * INDENT) < 0)
			return -1;
	}
	return 0;
}

/* One section; without any content it leaves no trace. */
static int put_section(const struct page *page, const char *title, const char *description,
		       const struct group_spec *group, bool positional)
{
	struct buf content = {0};
	struct page inside = *page;
	int rc = -1;

	inside.out = &content;
	if (put_text(&inside, description, INDENT) < 0)
		goto out;
	for (size_t i = 0; i < page->parser->count; i++) {
		const struct action *action = &page->parser->actions[i];

		if (action->hidden || titled_group(page->parser, action) != group)
			continue;
		if (!group && positional != (action->options.count == 0))
			continue;
		if (put_action(&inside, action, INDENT) < 0)
			goto out;
		if (action->kind == ACTION_SUBCOMMANDS && put_subcommands(&inside) < 0)
			goto out;
	}
	if (content.length) {
		buf_putc(page->out, '\n');
		if (title)
			buf_printf(page->out, "%s:\n", title);
		buf_puts(page->out, buf_text(&content));
		buf_putc(page->out, '\n');
	}
	rc = 0;
out:
	buf_free(&content);
	return rc;
}

static bool group_used(const struct parser *parser, const struct group_spec *group)
{
	for (size_t i = 0; i < parser->count; i++) {
		if (titled_group(parser, &parser->actions[i]) == group)
			return true;
	}
	return false;
}

static int put_sections(const struct page *page)
{
	const struct parser *parser = page->parser;

	if (put_section(page, "positional arguments", NULL, NULL, true) < 0 ||
	    put_section(page, "options", NULL, NULL, false) < 0)
		return -1;
	for (size_t i = 0; i < parser->spec->group_count; i++) {
		const struct group_spec *group = &parser->spec->groups[i];

		if (group_used(parser, group) &&
		    put_section(page, group->title, group->description, group, false) < 0)
			return -1;
	}
	return 0;
}

static int put_title(const struct page *page)
{
	const struct cookbook_spec *spec = page->parser->spec;
	struct buf text = {0};
	int rc = 0;

	if (page->parser->subcommand)
		return put_text(page, page->parser->subcommand->help, 0);
	if (spec->title)
		buf_puts(&text, spec->title);
	if (spec->description)
		buf_printf(&text, "%s%s", spec->title ? "\n\n" : "", spec->description);
	if (spec->title || spec->description)
		rc = put_text(page, buf_text(&text), 0);
	buf_free(&text);
	return rc;
}

/* No more than one empty line in a row, none at the ends. */
static void tidy(const char *text, struct buf *out)
{
	size_t length = strlen(text), newlines = 0;

	while (length && text[length - 1] == '\n')
		length--;
	while (length && *text == '\n') {
		text++;
		length--;
	}
	for (size_t i = 0; i < length; i++) {
		newlines = text[i] == '\n' ? newlines + 1 : 0;
		if (newlines <= 2)
			buf_putc(out, text[i]);
	}
	buf_putc(out, '\n');
}

void arghelp_usage(const struct parser *parser, struct buf *out)
{
	struct buf text = {0};

	argusage_format(parser, "usage: ", false, &text);
	tidy(buf_text(&text), out);
	buf_free(&text);
}

void arghelp_prefix(const struct parser *parser, struct buf *out)
{
	struct buf text = {0};

	argusage_format(parser, "", true, &text);
	tidy(buf_text(&text), out);
	argtext_strip(out);
	buf_free(&text);
}

int arghelp_format(const struct parser *parser, struct buf *out, struct err *err)
{
	const int columns = parser->context->columns;
	struct buf text = {0}, epilog = {0};
	struct page page = {
		.parser = parser,
		.width = columns > 0 ? (size_t)columns : 0,
		.out = &text,
		.err = err,
	};
	int rc;

	measure_all(&page);
	argusage_format(parser, "usage: ", false, &text);
	buf_puts(&text, "\n\n");
	if (parser->context->owner)
		buf_printf(&epilog, "Cookbook owner team: %s", parser->context->owner);
	rc = put_title(&page) < 0 || put_sections(&page) < 0 || put_text(&page, epilog.text, 0) < 0
		     ? -1
		     : 0;
	if (rc == 0)
		tidy(buf_text(&text), out);
	buf_free(&text);
	buf_free(&epilog);
	return rc;
}
