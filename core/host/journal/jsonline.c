/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonline.h"

#include <stdint.h>
#include <string.h>

#include "../../runtime/buf.h"

struct reader {
	const char *at, *end;
	json_member *member;
	void *data;
	struct buf name, value;
};

static void skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t'))
		reader->at++;
}

/* Whether `c` is the next that is no blank; takes it then. */
static bool take(struct reader *reader, char c)
{
	skip_blanks(reader);
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

static bool take_word(struct reader *reader, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
		return false;
	reader->at += length;
	return true;
}

/* Four digits of a unit of UTF-16. */
static bool take_unit(struct reader *reader, uint32_t *ret)
{
	static const char digits[] = "0123456789abcdef";

	*ret = 0;
	for (int i = 0; i < 4; i++) {
		char c = reader->at < reader->end ? *reader->at++ : '\0';
		const char *digit = strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);

		if (!c || !digit)
			return false;
		*ret = *ret << 4 | (uint32_t)(digit - digits);
	}
	return true;
}

static void put_point(struct buf *out, uint32_t point)
{
	if (point < 0x80) {
		buf_putc(out, (char)point);
		return;
	}
	if (point < 0x800) {
		buf_putc(out, (char)(0xc0 | point >> 6));
	} else {
		if (point < 0x10000) {
			buf_putc(out, (char)(0xe0 | point >> 12));
		} else {
			buf_putc(out, (char)(0xf0 | point >> 18));
			buf_putc(out, (char)(0x80 | (point >> 12 & 0x3f)));
		}
		buf_putc(out, (char)(0x80 | (point >> 6 & 0x3f)));
	}
	buf_putc(out, (char)(0x80 | (point & 0x3f)));
}

/* Behind `\u`: a character, of one unit or a pair. */
static bool take_point(struct reader *reader, struct buf *out)
{
	uint32_t point, low;

	if (!take_unit(reader, &point) || point == 0 || (point >= 0xdc00 && point <= 0xdfff))
		return false;
	if (point >= 0xd800 && point < 0xdc00) {
		if (!take_word(reader, "\\u") || !take_unit(reader, &low) || low < 0xdc00 ||
		    low > 0xdfff)
			return false;
		point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
	}
	put_point(out, point);
	return true;
}

static bool take_escape(struct reader *reader, struct buf *out)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	const char *letter;
	char c = reader->at < reader->end ? *reader->at++ : '\0';

	if (c == 'u')
		return take_point(reader, out);
	letter = c ? strchr(letters, c) : NULL;
	if (letter)
		buf_putc(out, values[letter - letters]);
	return letter != NULL;
}

static bool take_text(struct reader *reader, struct buf *out)
{
	buf_clear(out);
	if (!take(reader, '"'))
		return false;
	for (;;) {
		const char *begin = reader->at;

		while (reader->at < reader->end && *reader->at != '"' && *reader->at != '\\' &&
		       (unsigned char)*reader->at >= ' ')
			reader->at++;
		buf_add(out, begin, (size_t)(reader->at - begin));
		if (reader->at == reader->end || (unsigned char)*reader->at < ' ')
			return false;
		if (*reader->at++ == '"')
			return true;
		if (!take_escape(reader, out))
			return false;
	}
}

/* Digits and what else a number may consist of; whether it is one is for its reader to say. */
static bool take_number(struct reader *reader, struct buf *out)
{
	size_t length = 0;

	while (length < (size_t)(reader->end - reader->at) && reader->at[length] &&
	       strchr("0123456789+-.eE", reader->at[length]))
		length++;
	buf_clear(out);
	buf_add(out, reader->at, length);
	reader->at += length;
	return length > 0;
}

static void tell(struct reader *reader, enum json_type type, const char *value)
{
	if (reader->member)
		reader->member(reader->data, buf_text(&reader->name), type, value);
}

static bool take_value(struct reader *reader, bool in_list)
{
	static const struct {
		const char *word;
		enum json_type type;
	} words[] = {{"true", JSON_TRUE}, {"false", JSON_FALSE}, {"null", JSON_NULL}};

	skip_blanks(reader);
	if (reader->at < reader->end && *reader->at == '"') {
		if (!take_text(reader, &reader->value))
			return false;
		tell(reader, in_list ? JSON_ELEMENT : JSON_TEXT, buf_text(&reader->value));
		return true;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!take_word(reader, words[i].word))
			continue;
		if (!in_list)
			tell(reader, words[i].type, words[i].word);
		return true;
	}
	if (!take_number(reader, &reader->value))
		return false;
	if (!in_list)
		tell(reader, JSON_NUMBER, buf_text(&reader->value));
	return true;
}

static bool take_member(struct reader *reader)
{
	if (!take_text(reader, &reader->name) || !take(reader, ':'))
		return false;
	if (!take(reader, '['))
		return take_value(reader, false);
	if (take(reader, ']'))
		return true;
	do
		if (!take_value(reader, true))
			return false;
	while (take(reader, ','));
	return take(reader, ']');
}

static bool take_object(struct reader *reader)
{
	if (!take(reader, '{'))
		return false;
	if (!take(reader, '}')) {
		do
			if (!take_member(reader))
				return false;
		while (take(reader, ','));
		if (!take(reader, '}'))
			return false;
	}
	skip_blanks(reader);
	return reader->at == reader->end;
}

bool json_line_read(const char *text, size_t length, json_member *member, void *data)
{
	struct reader reader = {.at = text, .end = text + length, .member = member, .data = data};
	bool good = take_object(&reader);

	buf_free(&reader.name);
	buf_free(&reader.value);
	return good;
}
