/* SPDX-License-Identifier: Apache-2.0 */
#include "menuview.h"

#include <string.h>

#include "../../runtime/buf.h"
#include "../../runtime/printable.h"
#include "../../runtime/textwidth.h"
#include "../argument/argtext.h"

/* Rows that are no entries: the head, two answers, the prompt; of a part of a menu one more. */
#define FRAME_ROWS 4
/* What is to stay in view of what was there before: how a run ended. */
#define REST_ROWS 2
#define PAGE_LEAST 3
/* A title is not worth showing in less columns. */
#define TITLE_LEAST 4

#define HEAD_COLOUR "\033[1m"
#define COLOUR_END "\033[0m"

static const struct {
	const char *status, *begin;
} colours[] = {
	{"PASS", "\033[32m"},
	{"FAIL", "\033[31m"},
	{"ERROR", "\033[33m"},
};

size_t menuview_page(const struct menuview *view)
{
	size_t room = view->rows > FRAME_ROWS + REST_ROWS ? view->rows - FRAME_ROWS - REST_ROWS : 0;

	if (view->count <= room || view->count <= PAGE_LEAST)
		return view->count;
	return room > PAGE_LEAST ? room - 1 : PAGE_LEAST;
}

static void print_line(const struct menuview *view, const struct buf *line, const char *colour,
		       FILE *out)
{
	bool coloured = view->coloured && colour;

	fprintf(out, "%s%s%s\n", coloured ? colour : "", buf_text(line),
		coloured ? COLOUR_END : "");
}

static void print_cut(const struct menuview *view, const char *text, const char *colour, FILE *out)
{
	struct buf line = {0};

	textwidth_add(&line, text, view->columns);
	print_line(view, &line, colour, out);
	buf_free(&line);
}

/* Adds as much of the title as there is room for before `tail`, which is added whole. */
static void add_titled(const struct menuview *view, const char *title, const char *tail,
		       struct buf *line)
{
	size_t used = textwidth_of(buf_text(line), line->length) + textwidth_of(tail, strlen(tail));
	size_t room;

	room = view->columns > used ? view->columns - used : 0;
	if (room >= TITLE_LEAST || textwidth_of(title, strlen(title)) <= room)
		textwidth_add(line, title, room);
	buf_puts(line, tail);
}

static void print_head(const struct menuview *view, FILE *out)
{
	struct buf line = {0}, tail = {0};

	buf_puts(&tail, " args=[");
	for (size_t i = 0; i < view->args.count; i++) {
		buf_puts(&tail, i ? ", " : "");
		argtext_repr(&tail, view->args.items[i]);
	}
	buf_puts(&tail, "] ---#");
	buf_puts(&line, "#--- ");
	add_titled(view, view->title, buf_text(&tail), &line);
	print_cut(view, buf_text(&line), HEAD_COLOUR, out);
	buf_free(&line);
	buf_free(&tail);
}

static void print_entry(const struct menuview *view, const struct menuview_entry *entry, FILE *out)
{
	const char *colour = NULL;
	struct buf line = {0};
	size_t name;

	buf_printf(&line, "[%s] %s", entry->status, entry->name);
	name = line.length;
	buf_puts(&line, ": ");
	add_titled(view, entry->title, "", &line);
	if (line.length == name + 2)
		line.text[line.length = name] = '\0';
	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (strcmp(entry->status, colours[i].status) == 0)
			colour = colours[i].begin;
	print_line(view, &line, colour, out);
	buf_free(&line);
}

/* What is not shown, and how to see it. */
static void print_more(const struct menuview *view, size_t page, FILE *out)
{
	size_t last = view->first + page < view->count ? view->first + page : view->count;
	struct buf text = {0};

	if (page < view->count)
		buf_printf(&text, "... %zu-%zu of %zu", view->first + 1, last, view->count);
	else if (view->filter)
		buf_printf(&text, "... %zu", view->count);
	if (view->filter) {
		buf_puts(&text, " with '");
		printable_add(&text, view->filter, strlen(view->filter));
		buf_puts(&text, "', / shows all");
	}
	if (page < view->count)
		buf_puts(&text, view->filter ? "; Enter: more" : "; Enter: more, /TEXT: with TEXT");
	if (text.length)
		print_cut(view, buf_text(&text), NULL, out);
	buf_free(&text);
}

void menuview_print(const struct menuview *view, FILE *out)
{
	size_t page = menuview_page(view);

	print_head(view, out);
	for (size_t i = view->first; i < view->count && i < view->first + page; i++)
		print_entry(view, &view->entries[i], out);
	print_more(view, page, out);
	print_cut(view, view->leave, NULL, out);
	print_cut(view, "h - Help", NULL, out);
}
