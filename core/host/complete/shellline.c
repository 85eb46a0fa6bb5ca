/* SPDX-License-Identifier: Apache-2.0 */
#include "shellline.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"

#define BLANKS " \t\n"
/* What stands for itself in a word of bash, wherever it stands. */
#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+./:=@%,"

struct reader {
	struct shell_line *line;
	const char *breaks;
	struct buf word; /* as far as it was read */
	bool begun;      /* there is one, perhaps an empty one in quotes */
	bool target;     /* it is where to redirect to */
	size_t capacity;
};

static void begin_word(struct reader *reader)
{
	reader->begun = true;
	reader->line->kept = 0;
	reader->line->opaque = false;
	buf_clear(&reader->word);
}

static void keep_word(struct reader *reader)
{
	struct shell_line *line = reader->line;

	line->words = xgrow(line->words, line->count, &reader->capacity, sizeof(*line->words));
	line->words[line->count++] = xstrdup(buf_text(&reader->word));
}

static void end_word(struct reader *reader)
{
	if (!reader->begun)
		return;
	if (!reader->target)
		keep_word(reader);
	reader->target = false;
	reader->begun = false;
	buf_clear(&reader->word);
}

/* 2> and &>: what is before it belongs to the operator. */
static void redirect(struct reader *reader)
{
	const char *word = buf_text(&reader->word);

	if (word[strspn(word, "0123456789&")] == '\0')
		reader->begun = false;
	end_word(reader);
	reader->target = true;
}

/* Text in quotes from behind the opening one on; returns where it ends. */
static const char *read_quoted(struct reader *reader, const char *at, char quote)
{
	reader->line->quote = quote;
	reader->line->kept = reader->word.length;
	for (; *at && *at != quote; at++) {
		if (quote == '"' && (*at == '$' || *at == '`'))
			reader->line->opaque = true;
		if (quote == '"' && *at == '\\' && at[1] && strchr("$`\"\\\n", at[1]))
			at++;
		buf_putc(&reader->word, *at);
	}
	if (!*at)
		return at;
	reader->line->quote = '\0';
	return at + 1;
}

/* One step outside of quotes; returns where it ends. */
static const char *read_plain(struct reader *reader, const char *at, size_t *begin)
{
	if (strchr(BLANKS, *at)) {
		end_word(reader);
		return at + 1;
	}
	if (*at == '<' || *at == '>') {
		redirect(reader);
		return at + 1;
	}
	if (!reader->begun) {
		begin_word(reader);
		*begin = 0;
	}
	if (*at == '\'' || *at == '"') {
		const char *end = read_quoted(reader, at + 1, *at);

		/* Only an open quote is where something new begins. */
		if (!reader->line->quote)
			reader->line->kept = *begin;
		return end;
	}
	if (*at == '\\') {
		if (at[1])
			buf_putc(&reader->word, at[1]);
		return at + 1 + (at[1] != '\0');
	}
	if (*at == '$' || *at == '`')
		reader->line->opaque = true;
	buf_putc(&reader->word, *at);
	if (strchr(reader->breaks, *at))
		reader->line->kept = *begin = reader->word.length;
	return at + 1;
}

void shell_line_read(const char *line, const char *breaks, struct shell_line *ret)
{
	struct reader reader = {.line = ret, .breaks = breaks};
	size_t begin = 0;

	*ret = (struct shell_line){0};
	for (const char *at = line; *at;)
		at = read_plain(&reader, at, &begin);
	if (!reader.begun)
		begin_word(&reader);
	ret->file = reader.target;
	keep_word(&reader);
	buf_free(&reader.word);
}

void shell_line_free(struct shell_line *line)
{
	for (size_t i = 0; i < line->count; i++)
		free(line->words[i]);
	free(line->words);
	*line = (struct shell_line){0};
}

bool shell_line_put(const struct shell_line *line, const char *text, struct buf *out)
{
	text += line->kept;
	/* History is expanded within these, and a backslash would stay; behind a second one of
	 * these the line editor does not close the first. */
	if (line->quote == '"' && strpbrk(text, "!\""))
		return false;
	for (; *text; text++) {
		if (line->quote == '\'' && *text == '\'')
			buf_puts(out, "'\\'");
		else if (line->quote == '"' && strchr("$`\\", *text))
			buf_putc(out, '\\');
		else if (!line->quote && !((unsigned char)*text & 0x80) && !strchr(PLAIN, *text))
			buf_putc(out, '\\');
		buf_putc(out, *text);
	}
	return true;
}
