/* SPDX-License-Identifier: Apache-2.0 */
#include "argusage.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"
#include "arghelp.h"
#include "argtext.h"

/* Actions in the order in which the usage shows them. */
struct sequence {
	const struct action **actions;
	size_t count;
	const struct parser *parser;
};

/* Marks around the action at the same index, as `[`, `|`, `] (`; the last is behind all. */
struct marks {
	struct buf text;
	bool between; /* the text is `|` */
};

static void mark_add(struct marks *mark, const char *text, const char *glue)
{
	if (mark->text.length)
		buf_puts(&mark->text, glue);
	buf_puts(&mark->text, text);
	mark->between = false;
}

static const struct group_spec *exclusive(const struct parser *parser, size_t index)
{
	const struct group_spec *group = &parser->spec->groups[index];

	return group->exclusive ? group : NULL;
}

/*
 * Marks one exclusive group if its members stand together in the sequence, in their order
 * and all of them, as argparse wants it; sets `grouped` for them.
 */
static void mark_group(const struct sequence *sequence, size_t index, struct marks *marks,
		       bool *grouped)
{
	const struct parser *parser = sequence->parser;
	const bool required = parser->spec->groups[index].required;
	size_t start = 0, members = 0;

	for (size_t i = 0; i < parser->count; i++) {
		const struct action *member = &parser->actions[i];

		if (member->group != (int)index)
			continue;
		if (members == 0) {
			while (start < sequence->count && sequence->actions[start] != member)
				start++;
		}
		if (start + members >= sequence->count ||
		    sequence->actions[start + members] != member)
			return;
		members++;
	}
	if (!members)
		return;
	for (size_t i = start; i < start + members; i++)
		grouped[i] = true;
	mark_add(&marks[start], required ? "(" : "[", " ");
	mark_add(&marks[start + members], required ? ")" : "]", "");
	for (size_t i = start + 1; i < start + members; i++) {
		buf_clear(&marks[i].text);
		buf_putc(&marks[i].text, '|');
		marks[i].between = true;
	}
}

static void put_part(const struct action *action, bool grouped, struct buf *out)
{
	const bool bracket = action->options.count && !action->required && !grouped;
	struct buf values = {0};
	size_t start = 0, length;

	arghelp_values(action, &values);
	length = values.length;
	if (!action->options.count) {
		if (grouped && length >= 2 && values.text[0] == '[' &&
		    values.text[length - 1] == ']') {
			start = 1;
			length -= 2;
		}
		buf_add(out, buf_text(&values) + start, length);
	} else {
		buf_printf(out, "%s%s", bracket ? "[" : "", action->options.items[0]);
		if (action->nargs != NARGS_NONE)
			buf_printf(out, " %s", buf_text(&values));
		buf_puts(out, bracket ? "]" : "");
	}
	buf_free(&values);
}

static bool opens(char c)
{
	return c == '[' || c == '(';
}

static bool closes(char c)
{
	return c == ']' || c == ')';
}

/* Takes the blanks off the insides of brackets, then brackets that hold nothing. */
static void tidy_brackets(struct buf *text)
{
	char *to = text->text;
	const char *from = text->text;

	if (!text->text)
		return;
	while (*from) {
		*to++ = *from++;
		if (opens(from[-1]) && *from == ' ')
			from++;
	}
	*to = '\0';
	for (to = text->text, from = text->text; *from; from++) {
		if (*from != ' ' || !closes(from[1]))
			*to++ = *from;
	}
	*to = '\0';
	for (to = text->text, from = text->text; *from;) {
		const char *close = from + 1 + (opens(*from) ? strspn(from + 1, " ") : 0);

		if (opens(*from) && closes(*close))
			from = close + 1;
		else
			*to++ = *from++;
	}
	*to = '\0';
	text->length = (size_t)(to - text->text);
}

/* Takes the parentheses off what is no choice: a group of which one member is left. */
static void drop_parentheses(struct buf *text)
{
	struct buf out = {0};
	const char *p = buf_text(text);

	while (*p) {
		const char *end = p + strcspn(p, "|"), *close = NULL;

		for (const char *q = p + 1; *p == '(' && q < end; q++) {
			if (*q == ')')
				close = q;
		}
		if (close) {
			buf_add(&out, p + 1, (size_t)(close - p - 1));
			p = close + 1;
		} else {
			buf_putc(&out, *p++);
		}
	}
	buf_free(text);
	*text = out;
}

/* The usage of a sequence in one line. */
static void put_sequence(const struct sequence *sequence, struct buf *out)
{
	struct marks *marks = xcalloc(sequence->count + 1, sizeof(*marks));
	bool *grouped = xcalloc(sequence->count + 1, sizeof(*grouped));
	struct buf text = {0};

	for (size_t i = 0; i < sequence->parser->spec->group_count; i++) {
		if (exclusive(sequence->parser, i))
			mark_group(sequence, i, marks, grouped);
	}
	/* a hidden member takes one of the bars next to it away */
	for (size_t i = 0; i < sequence->count; i++) {
		if (!sequence->actions[i]->hidden)
			continue;
		for (size_t j = i; j <= i + 1; j++) {
			if (marks[j].between) {
				buf_clear(&marks[j].text);
				marks[j].between = false;
				break;
			}
		}
	}
	for (size_t i = 0; i <= sequence->count; i++) {
		struct buf part = {0};
		const bool shown = i < sequence->count && !sequence->actions[i]->hidden;

		if (marks[i].text.length)
			buf_printf(&text, "%s%s", text.length ? " " : "", marks[i].text.text);
		if (shown) {
			put_part(sequence->actions[i], grouped[i], &part);
			buf_printf(&text, "%s%s", text.length ? " " : "", buf_text(&part));
		}
		buf_free(&part);
		buf_free(&marks[i].text);
	}
	tidy_brackets(&text);
	drop_parentheses(&text);
	argtext_strip(&text);
	buf_puts(out, buf_text(&text));
	buf_free(&text);
	free(marks);
	free(grouped);
}

struct part {
	const char *text;
	size_t bytes, length;
};

struct parts {
	struct part *items;
	size_t count, capacity;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Where a bracketed part that starts at `text` ends: at the first closing run before a blank. */
static const char *bracket_end(const char *text)
{
	const char close = *text == '(' ? ')' : ']';

	for (const char *p = text + 1; *p && *p != '\n'; p++) {
		const char *end = p;

		while (*end == close)
			end++;
		if (end > p && (!*end || is_space(*end)))
			return end;
	}
	return NULL;
}

/* Takes a usage apart where it may be broken: at blanks outside of brackets. */
static void split_parts(const char *text, struct parts *parts)
{
	while (*text) {
		const char *end;
		struct part *part;

		if (is_space(*text)) {
			text++;
			continue;
		}
		end = opens(*text) ? bracket_end(text) : NULL;
		for (end = end ? end : text; end == text || !is_space(*end); end++) {
			if (!*end)
				break;
		}
		parts->items = xgrow(parts->items, parts->count, &parts->capacity,
				     sizeof(*parts->items));
		part = &parts->items[parts->count++];
		*part = (struct part){.text = text, .bytes = (size_t)(end - text)};
		for (const char *p = text; p < end; part->length++)
			argtext_next(&p);
		text = end;
	}
}

/* What one line of the usage may hold. */
struct layout {
	long width;
	size_t indent; /* of lines but the first */
	struct buf *out;
};

/* Lays parts out from `column` on, the column of the line begun; returns the lines begun. */
static size_t put_lines(const struct layout *layout, const struct parts *parts, const char *head,
			size_t column)
{
	long at = (long)column - 1;
	size_t lines = 0;
	bool any = false;

	if (head) {
		buf_puts(layout->out, head);
		at += 1 + (long)argtext_length(head);
		any = true;
		lines = 1;
	}
	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->items[i];

		if (!any || at + 1 + (long)part->length > layout->width) {
			if (any || !head)
				buf_putc(layout->out, '\n');
			buf_fill(layout->out, ' ', layout->indent);
			at = (long)layout->indent - 1;
			lines++;
			any = true;
		} else {
			buf_putc(layout->out, ' ');
		}
		buf_add(layout->out, part->text, part->bytes);
		at += 1 + (long)part->length;
	}
	return lines;
}

static void put_wrapped(const char *prefix, const char *prog, const char *options,
			const char *positionals, long width, struct buf *out)
{
	struct parts first = {0}, second = {0}, all = {0};
	const size_t lead = strlen(prefix), program = argtext_length(prog);
	struct layout layout = {.width = width, .out = out};
	const struct parts none = {0};

	split_parts(options, &first);
	split_parts(positionals, &second);
	if (4 * (long)(lead + program) <= 3 * width) {
		layout.indent = lead + program + 1;
		if (first.count) {
			put_lines(&layout, &first, prog, lead);
			put_lines(&layout, &second, NULL, layout.indent);
		} else {
			put_lines(&layout, second.count ? &second : &none, prog, lead);
		}
	} else {
		struct buf attempt = {0};
		struct layout trial = {.width = width, .indent = lead, .out = &attempt};

		for (size_t i = 0; i < first.count + second.count; i++) {
			all.items = xgrow(all.items, all.count, &all.capacity, sizeof(*all.items));
			all.items[all.count++] = i < first.count ? first.items[i]
								 : second.items[i - first.count];
		}
		layout.indent = lead;
		buf_puts(out, prog);
		if (put_lines(&trial, &all, NULL, lead) > 1) {
			put_lines(&layout, &first, NULL, lead);
			put_lines(&layout, &second, NULL, lead);
		} else {
			buf_puts(out, buf_text(&attempt));
		}
		buf_free(&attempt);
	}
	free(first.items);
	free(second.items);
	free(all.items);
}

void argusage_format(const struct parser *parser, const char *prefix, bool positionals_only,
		     struct buf *out)
{
	const struct action **actions = xcalloc(parser->count + 1, sizeof(*actions));
	struct sequence all = {.actions = actions, .parser = parser}, options = all,
			positionals = all;
	struct buf line = {0}, first = {0}, second = {0};

	for (size_t i = 0; !positionals_only && i < parser->count; i++) {
		if (parser->actions[i].options.count)
			actions[all.count++] = &parser->actions[i];
	}
	options.count = all.count;
	positionals.actions = actions + all.count;
	for (size_t i = 0; i < parser->count; i++) {
		if (!parser->actions[i].options.count)
			actions[all.count++] = &parser->actions[i];
	}
	positionals.count = all.count - options.count;
	put_sequence(&all, &line);
	buf_puts(out, prefix);
	if (!line.length) {
		buf_puts(out, parser->prog);
	} else if ((long)(strlen(prefix) + argtext_length(parser->prog) + 1 +
			  argtext_length(line.text)) <= parser->context->columns) {
		buf_printf(out, "%s %s", parser->prog, line.text);
	} else {
		put_sequence(&options, &first);
		put_sequence(&positionals, &second);
		put_wrapped(prefix, parser->prog, buf_text(&first), buf_text(&second),
			    parser->context->columns, out);
	}
	buf_free(&line);
	buf_free(&first);
	buf_free(&second);
	free(actions);
}
