/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of text. */
#include <spicerack/output.h>

#include <ctype.h>
#include <string.h>

#include <spicerack/session.h>
#include <spicerack/text.h>

#include "../runtime/buf.h"
#include "../runtime/misuse.h"
#include "../runtime/printable.h"
#include "../runtime/textwidth.h"

#define TABLE_MAGIC 0x7461626cU
#define GAP "  "

struct column {
	size_t width;
	bool numbers; /* nothing else so far */
};

/* Plain data in memory of the run. */
struct spk_table {
	uint32_t magic;
	struct spk *spk;
	size_t column_count;
	struct column *columns;
	spk_strings cells; /* of the heads, then of each row */
};

/* 12, -1.5, 40%, 1,024: what is compared by its end. */
static bool is_number(const char *text)
{
	bool digits = false;

	if (*text == '-' || *text == '+')
		text++;
	for (; *text; text++) {
		if (isdigit((unsigned char)*text))
			digits = true;
		else if (!digits || (*text != '.' && *text != ',' && *text != ':'))
			break;
	}
	return digits && (*text == '\0' || strcmp(text, "%") == 0);
}

static void add_cell(struct spk_table *table, size_t index, const char *text, bool head)
{
	struct column *column = &table->columns[index];
	struct buf clean = {0};
	size_t width;

	printable_add(&clean, text, strlen(text));
	width = textwidth_of(buf_text(&clean), clean.length);
	if (width > column->width)
		column->width = width;
	if (!head && *text && !is_number(text))
		column->numbers = false;
	text = spk_format(table->spk, "%s", buf_text(&clean));
	buf_free(&clean);
	spk_append(table->spk, &table->cells, text);
}

struct spk_table *spk_table_new(struct spk *spk, spk_strings heads)
{
	struct spk_table *table;

	CHECK_SPK(spk);
	CHECK_LIST(heads);
	if (heads.count == 0)
		session_misuse(__func__, "a table without columns");
	table = SPK_NEW(spk, struct spk_table);
	table->spk = spk;
	table->column_count = heads.count;
	table->columns = spk_alloc(spk, heads.count * sizeof(*table->columns));
	for (size_t i = 0; i < heads.count; i++) {
		table->columns[i].numbers = true;
		add_cell(table, i, heads.items[i], true);
	}
	table->magic = TABLE_MAGIC;
	return table;
}

void spk_table_row(struct spk_table *table, spk_strings cells)
{
	CHECK_HANDLE(table, TABLE_MAGIC);
	CHECK_LIST(cells);
	if (cells.count != table->column_count)
		session_misuse(__func__, "%zu cells for %zu columns", cells.count,
			       table->column_count);
	for (size_t i = 0; i < cells.count; i++)
		add_cell(table, i, cells.items[i], false);
}

/* No blanks at the end of a line. */
static void put_row(const struct spk_table *table, const char *const *cells, struct buf *out)
{
	size_t blanks = 0;

	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *column = &table->columns[i];
		size_t length = strlen(cells[i]);
		size_t rest = column->width - textwidth_of(cells[i], length);

		if (i > 0)
			blanks += strlen(GAP);
		if (column->numbers)
			blanks += rest;
		if (length > 0) {
			buf_fill(out, ' ', blanks);
			buf_add(out, cells[i], length);
			blanks = 0;
		}
		if (!column->numbers)
			blanks += rest;
	}
}

static void put_rule(const struct spk_table *table, struct buf *out)
{
	for (size_t i = 0; i < table->column_count; i++) {
		buf_puts(out, i > 0 ? GAP : "");
		buf_fill(out, '-', table->columns[i].width);
	}
}

const char *spk_table_text(const struct spk_table *table)
{
	struct buf out = {0};
	const char *text;

	CHECK_HANDLE(table, TABLE_MAGIC);
	put_row(table, table->cells.items, &out);
	buf_putc(&out, '\n');
	put_rule(table, &out);
	for (size_t at = table->column_count; at < table->cells.count; at += table->column_count) {
		buf_putc(&out, '\n');
		put_row(table, table->cells.items + at, &out);
	}
	text = spk_format(table->spk, "%s", buf_text(&out));
	buf_free(&out);
	return text;
}

void spk_table_print(const struct spk_table *table)
{
	CHECK_HANDLE(table, TABLE_MAGIC);
	spk_print(table->spk, "%s", spk_table_text(table));
}
