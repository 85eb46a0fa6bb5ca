/* SPDX-License-Identifier: Apache-2.0 */
/* Words as a POSIX shell reads them: quoting, joining, splitting. spk_shell_format() is in
 * shellformat.c. */
#include "shell.h"

#include <string.h>

#include <spicerack/error.h>
#include <spicerack/session.h>
#include <spicerack/text.h>

#include "mem.h"
#include "misuse.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Words that mean something to a shell where a command may stand. */
static const char *const reserved[] = {"if",   "then",     "else",   "elif",  "fi",    "do",
				       "done", "case",     "esac",   "while", "until", "for",
				       "in",   "function", "select", "time",  "coproc"};

static bool is_plain(const char *text, size_t length)
{
	size_t name;

	if (!length || text[0] == '=')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!text[i] || !strchr(LETTERS DIGITS "@%+=:,./_-", text[i]))
			return false;
	}
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strlen(reserved[i]) == length && memcmp(reserved[i], text, length) == 0)
			return false;
	}
	/* NAME=text and NAME+=text set a variable where a command may stand */
	for (name = 0; name < length && strchr(LETTERS DIGITS "_", text[name]);)
		name++;
	if (!name || strchr(DIGITS, text[0]) || name == length)
		return true;
	return text[name] != '=' &&
	       !(text[name] == '+' && name + 1 < length && text[name + 1] == '=');
}

size_t shell_quote(const char *text, size_t length, char *out)
{
	size_t used = 0;

#define PUT(c) (void)(out && (out[used] = (c))), used++
	if (is_plain(text, length)) {
		if (out)
			memcpy(out, text, length);
		return length;
	}
	PUT('\'');
	for (size_t i = 0; i < length; i++) {
		PUT(text[i]);
		if (text[i] == '\'') {
			PUT('\\');
			PUT('\'');
			PUT('\'');
		}
	}
	PUT('\'');
#undef PUT
	return used;
}

const char *spk_shell_quote(struct spk *spk, const char *text)
{
	char *quoted;

	CHECK_GIVEN(text);
	quoted = spk_alloc(spk, shell_quote(text, strlen(text), NULL) + 1);
	shell_quote(text, strlen(text), quoted);
	return quoted;
}

const char *spk_shell_join(struct spk *spk, spk_strings words)
{
	size_t length = 0;
	char *line, *end;

	CHECK_LIST(words);
	for (size_t i = 0; i < words.count; i++)
		length += shell_quote(words.items[i], strlen(words.items[i]), NULL) + 1;
	end = line = spk_alloc(spk, length + 1);
	for (size_t i = 0; i < words.count; i++) {
		if (i)
			*end++ = ' ';
		end += shell_quote(words.items[i], strlen(words.items[i]), end);
	}
	return line;
}

/* A line being read. Unquoted bytes of the word go to `out`, which has room for the whole line. */
struct reader {
	const char *next;
	char *out;
	size_t used;
};

static void put(struct reader *reader, char c)
{
	if (reader->out)
		reader->out[reader->used] = c;
	reader->used++;
}

/* What follows a backslash outside quotes; one at the end of the line stands for itself. */
static void read_backslash(struct reader *reader)
{
	if (*reader->next == '\n')
		reader->next++;
	else if (*reader->next)
		put(reader, *reader->next++);
	else
		put(reader, '\\');
}

/* What follows a quote, up to the closing one; false when there is none. */
static bool read_quoted(struct reader *reader, char quote)
{
	while (*reader->next && *reader->next != quote) {
		char c = *reader->next++;

		if (quote == '"' && c == '\\' && *reader->next &&
		    strchr("$`\"\\\n", *reader->next)) {
			c = *reader->next++;
			if (c == '\n')
				continue;
		}
		put(reader, c);
	}
	return *reader->next++ == quote;
}

/* The next word: 1, or 0 at the end of the line, or -1 for an open quote. */
static int read_word(struct reader *reader)
{
	bool found = false;

	reader->used = 0;
	for (;;) {
		char c = *reader->next;

		if (c == '\0')
			return found;
		reader->next++;
		if (c == '\\' && *reader->next == '\n') {
			reader->next++;
			continue;
		}
		if (strchr(" \t\n", c)) {
			if (found)
				return 1;
			continue;
		}
		found = true;
		if (c == '\\')
			read_backslash(reader);
		else if (c != '\'' && c != '"')
			put(reader, c);
		else if (!read_quoted(reader, c))
			return -1;
	}
}

/* How many words the line has; -1 for an open quote. */
static ptrdiff_t count_words(const char *line)
{
	struct reader reader = {.next = line};
	ptrdiff_t count = 0;
	int rc;

	while ((rc = read_word(&reader)) > 0)
		count++;
	return rc < 0 ? -1 : count;
}

/* Fills in as many words as the line has; `text`, where they lie, has room for all of it. */
static void fill_words(const char *line, const char **items, char *text)
{
	struct reader reader = {.next = line, .out = text};

	while (read_word(&reader) > 0) {
		reader.out[reader.used++] = '\0';
		*items++ = reader.out;
		reader.out += reader.used;
	}
}

int shell_split(const char *line, spk_strings *ret_words)
{
	ptrdiff_t count = count_words(line);
	const char **items;

	*ret_words = (spk_strings){0};
	if (count <= 0)
		return (int)count;
	items = xcalloc(1, (size_t)count * sizeof(*items) + strlen(line) + 1);
	fill_words(line, items, (char *)(items + count));
	*ret_words = (spk_strings){items, (size_t)count};
	return 0;
}

spk_strings spk_shell_split(struct spk *spk, const char *line)
{
	const char **items;
	ptrdiff_t count;

	CHECK_GIVEN(line);
	count = count_words(line);
	if (count < 0)
		spk_raise(spk, "text", NULL, "a quote is not closed in: %s", line);
	if (count == 0)
		return (spk_strings){0};
	items = spk_alloc(spk, (size_t)count * sizeof(*items));
	fill_words(line, items, spk_alloc(spk, strlen(line) + 1));
	return (spk_strings){items, (size_t)count};
}
