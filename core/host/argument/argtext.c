/* SPDX-License-Identifier: Apache-2.0 */
#include "argtext.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"

struct range {
	uint32_t first, last;
};

/* What str.isprintable() denies beyond ASCII, save for code points that are not assigned. */
static const struct range unprintable[] = {
	{0x80, 0xa0},       {0xad, 0xad},       {0x600, 0x605},      {0x61c, 0x61c},
	{0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},      {0x8e2, 0x8e2},
	{0x1680, 0x1680},   {0x180e, 0x180e},   {0x2000, 0x200f},    {0x2028, 0x202f},
	{0x205f, 0x206f},   {0x3000, 0x3000},   {0xd800, 0xf8ff},    {0xfeff, 0xfeff},
	{0xfff0, 0xfffb},   {0xfffe, 0xffff},   {0x110bd, 0x110bd},  {0x110cd, 0x110cd},
	{0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},  {0x1fffe, 0x1ffff},
	{0x2fffe, 0x2ffff}, {0x3fffe, 0xe00ff}, {0xe01f0, 0x10ffff},
};

/* What str.strip() takes away. */
static const struct range spaces[] = {
	{0x9, 0xd},       {0x1c, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},     {0x1680, 0x1680},
	{0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
};

/* Beyond ASCII, what is no part of a word; an approximation that only wrapping depends on. */
static const struct range not_word[] = {
	{0x80, 0xa9},     {0xab, 0xb1},     {0xb4, 0xb4},       {0xb6, 0xb8},     {0xbb, 0xbb},
	{0xbf, 0xbf},     {0xd7, 0xd7},     {0xf7, 0xf7},       {0x2000, 0x206f}, {0x20a0, 0x20cf},
	{0x2190, 0x245f}, {0x2500, 0x2775}, {0x2794, 0x2bff},   {0x3000, 0x3004}, {0x3008, 0x3020},
	{0xd800, 0xf8ff}, {0xff00, 0xff0f}, {0x1f000, 0x1faff},
};

static bool within(const struct range *table, size_t count, uint32_t point)
{
	for (size_t i = 0; i < count; i++) {
		if (point >= table[i].first && point <= table[i].last)
			return true;
	}
	return false;
}

#define WITHIN(table, point) within(table, sizeof(table) / sizeof((table)[0]), point)

static bool is_printable(uint32_t point)
{
	return point < 0x80 ? point >= 0x20 && point != 0x7f : !WITHIN(unprintable, point);
}

static bool is_digit(uint32_t point)
{
	return point >= '0' && point <= '9';
}

static bool is_letter(uint32_t point)
{
	if (point >= 0x80)
		return !WITHIN(not_word, point);
	return (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z') || point == '_';
}

static bool is_word(uint32_t point)
{
	return is_letter(point) || is_digit(point);
}

uint32_t argtext_next(const char **text)
{
	const unsigned char *p = (const unsigned char *)*text;
	const uint32_t lead = p[0];
	uint32_t point, least;
	int more;

	if (lead < 0x80) {
		(*text)++;
		return lead;
	}
	more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
	least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
	point = lead & (0x3fu >> more);
	if (lead < 0xc2 || lead > 0xf4)
		goto invalid;
	for (int i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			goto invalid;
		point = point << 6 | (p[i] & 0x3f);
	}
	if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		goto invalid;
	*text += more + 1;
	return point;
invalid:
	(*text)++;
	return 0xdc00 + lead;
}

size_t argtext_length(const char *text)
{
	size_t length = 0;

	for (; *text; length++)
		argtext_next(&text);
	return length;
}

static void put_escaped(struct buf *out, uint32_t point)
{
	if (point == '\n' || point == '\r' || point == '\t')
		buf_printf(out, "\\%c", point == '\n' ? 'n' : point == '\r' ? 'r' : 't');
	else if (point >= 0xdc80 && point <= 0xdcff)
		buf_printf(out, "\\x%02x", (unsigned int)(point - 0xdc00));
	else if (point <= 0xff)
		buf_printf(out, "\\x%02x", (unsigned int)point);
	else if (point <= 0xffff)
		buf_printf(out, "\\u%04x", (unsigned int)point);
	else
		buf_printf(out, "\\U%08x", (unsigned int)point);
}

void argtext_escape(struct buf *out, const char *text)
{
	while (*text) {
		const char *start = text;
		const uint32_t point = argtext_next(&text);

		if (is_printable(point))
			buf_add(out, start, (size_t)(text - start));
		else
			put_escaped(out, point);
	}
}

void argtext_repr(struct buf *out, const char *text)
{
	const char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';

	buf_putc(out, quote);
	while (*text) {
		const char *start = text;
		const uint32_t point = argtext_next(&text);

		if (point == (uint32_t)quote || point == '\\')
			buf_printf(out, "\\%c", (int)point);
		else if (is_printable(point))
			buf_add(out, start, (size_t)(text - start));
		else
			put_escaped(out, point);
	}
	buf_putc(out, quote);
}

/* A text taken apart: code point i stands at `at[i]`. */
struct glyphs {
	const char *text;
	uint32_t *points;
	size_t *at;
	size_t count;
};

static void glyphs_read(struct glyphs *glyphs, const char *text)
{
	const size_t length = strlen(text);
	const char *p = text;

	*glyphs = (struct glyphs){.text = text,
				  .points = xcalloc(length + 1, sizeof(uint32_t)),
				  .at = xcalloc(length + 1, sizeof(size_t))};
	while (*p) {
		glyphs->at[glyphs->count] = (size_t)(p - text);
		glyphs->points[glyphs->count++] = argtext_next(&p);
	}
	glyphs->at[glyphs->count] = length;
}

static void glyphs_free(struct glyphs *glyphs)
{
	free(glyphs->points);
	free(glyphs->at);
}

static bool is_punctuated(uint32_t point)
{
	return is_word(point) || (point < 0x80 && point && strchr("!\"'&.,?", (int)point));
}

/* Whether two or more dashes start at `i` and a word follows them. */
static size_t em_dash(const struct glyphs *g, size_t i)
{
	size_t end = i;

	while (end < g->count && g->points[end] == '-')
		end++;
	return end - i >= 2 && end < g->count && is_word(g->points[end]) ? end - i : 0;
}

/* Whether the dash at `i` joins two parts of a word, between which a line may break. */
static bool breaks_after(const struct glyphs *g, size_t i)
{
	const uint32_t *p = g->points;
	bool before, after;

	if (p[i] != '-')
		return false;
	before = i >= 2 && is_letter(p[i - 1]) &&
		 (is_letter(p[i - 2]) || (i >= 3 && p[i - 2] == '-' && is_letter(p[i - 3])));
	after = i + 2 < g->count && is_letter(p[i + 1]) &&
		(is_letter(p[i + 2]) ||
		 (p[i + 2] == '-' && i + 3 < g->count && is_letter(p[i + 3])));
	return before && after;
}

/* Where the piece that starts at `start` ends: pieces are what a line is made of. */
static size_t piece_end(const struct glyphs *g, size_t start)
{
	size_t i = start, dashes;

	if (g->points[i] == ' ') {
		while (i < g->count && g->points[i] == ' ')
			i++;
		return i;
	}
	if (i > 0 && is_punctuated(g->points[i - 1]) && (dashes = em_dash(g, i)) > 0)
		return i + dashes;
	for (i++; i < g->count && g->points[i] != ' '; i++) {
		if (breaks_after(g, i))
			return i + 1;
		if (is_punctuated(g->points[i - 1]) && em_dash(g, i))
			break;
	}
	return i;
}

static bool all_space(const struct glyphs *g, size_t start, size_t end)
{
	for (size_t i = start; i < end; i++) {
		if (!WITHIN(spaces, g->points[i]))
			return false;
	}
	return true;
}

/* How much of a piece longer than a line fits in `room` columns, preferably up to a dash. */
static size_t cut_piece(const struct glyphs *g, size_t start, size_t end, size_t room)
{
	bool other = false;
	size_t best = room;

	if (end - start <= room)
		return start + room;
	for (size_t i = 0; i < room; i++) {
		if (g->points[start + i] != '-')
			other = true;
		else if (i > 0 && other)
			best = i + 1;
	}
	return start + best;
}

static void wrap_glyphs(struct buf *out, const struct glyphs *g, size_t width, size_t first,
			size_t indent)
{
	size_t next = 0, end = g->count ? piece_end(g, 0) : 0;
	bool any = false;

	while (next < g->count) {
		size_t from, to, last, pieces = 0;

		if (any && all_space(g, next, end)) {
			next = end;
			end = next < g->count ? piece_end(g, next) : next;
		}
		from = last = next;
		while (next < g->count && end - from <= width) {
			last = next;
			next = end;
			end = next < g->count ? piece_end(g, next) : next;
			pieces++;
		}
		if (next < g->count && end - next > width) {
			last = next;
			next = cut_piece(g, next, end, width - (next - from));
			pieces++;
		}
		to = next;
		if (pieces && all_space(g, last, to)) {
			to = last;
			pieces--;
		}
		if (!pieces)
			continue;
		buf_fill(out, ' ', any ? indent : first);
		buf_add(out, g->text + g->at[from], g->at[to] - g->at[from]);
		buf_putc(out, '\n');
		any = true;
	}
}

void argtext_strip(struct buf *text)
{
	struct glyphs g;
	size_t start = 0, end;

	glyphs_read(&g, buf_text(text));
	end = g.count;
	while (start < end && WITHIN(spaces, g.points[start]))
		start++;
	while (end > start && WITHIN(spaces, g.points[end - 1]))
		end--;
	if (text->text) {
		text->length = g.at[end] - g.at[start];
		memmove(text->text, text->text + g.at[start], text->length);
		text->text[text->length] = '\0';
	}
	glyphs_free(&g);
}

void argtext_wrap(struct buf *out, const char *text, size_t width, size_t first, size_t indent)
{
	struct buf plain = {0};
	struct glyphs g;

	for (const char *p = text; *p; p++) {
		const bool space = *p == ' ' || (*p >= '\t' && *p <= '\r');

		if (!space)
			buf_putc(&plain, *p);
		else if (!plain.length || plain.text[plain.length - 1] != ' ')
			buf_putc(&plain, ' ');
	}
	argtext_strip(&plain);
	glyphs_read(&g, buf_text(&plain));
	wrap_glyphs(out, &g, width, first, indent);
	glyphs_free(&g);
	buf_free(&plain);
}

static bool ends_line(uint32_t point)
{
	return (point >= 0xa && point <= 0xd) || (point >= 0x1c && point <= 0x1e) ||
	       point == 0x85 || point == 0x2028 || point == 0x2029;
}

void argtext_indent(struct buf *out, const char *text, size_t indent)
{
	while (*text) {
		const char *start = text;
		uint32_t point;

		do {
			point = argtext_next(&text);
		} while (!ends_line(point) && *text);
		if (point == '\r' && *text == '\n')
			text++;
		buf_fill(out, ' ', indent);
		buf_add(out, start, (size_t)(text - start));
	}
}
