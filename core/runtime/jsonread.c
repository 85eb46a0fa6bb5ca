/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonread.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "printable.h"

struct reader {
	const char *begin, *at, *end;
	char *pool; /* where the next text goes */
	const struct json_sink *sink;
	void *data;
	size_t values, depth;
	bool objects[JSON_DEPTH]; /* of each open level: whether it is one */
	struct err *err;
};

/* What a value leaves behind. */
enum step {
	STEP_WRONG = -1,
	STEP_VALUE = 0, /* the next value is due: something was opened that is not empty */
	STEP_DONE = 1,  /* a value is complete */
};

/* Always STEP_WRONG; `at` is the place. */
static int refuse(struct reader *reader, const char *at, const char *why)
{
	size_t line = 1;
	const char *start = reader->begin, *newline;

	while ((newline = memchr(start, '\n', (size_t)(at - start)))) {
		start = newline + 1;
		line++;
	}
	errno = EINVAL;
	return err_set(reader->err, "line %zu, column %zu: %s", line, (size_t)(at - start) + 1,
		       why);
}

static int refuse_size(struct reader *reader, const char *why)
{
	refuse(reader, reader->at, why);
	errno = E2BIG;
	return STEP_WRONG;
}

static void skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' ||
					    *reader->at == '\t' || *reader->at == '\r'))
		reader->at++;
}

/* The next byte that is no blank; NUL at the end. */
static char peek(struct reader *reader)
{
	skip_blanks(reader);
	return reader->at < reader->end ? *reader->at : '\0';
}

static bool take(struct reader *reader, char c)
{
	if (peek(reader) != c || reader->at == reader->end)
		return false;
	reader->at++;
	return true;
}

static size_t digits(const char *text, const char *end)
{
	size_t count = 0;

	while (text + count < end && isdigit((unsigned char)text[count]))
		count++;
	return count;
}

size_t json_number_length(const char *text, size_t length)
{
	const char *end = text + length, *at = text;
	size_t whole, count;

	if (at < end && *at == '-')
		at++;
	whole = digits(at, end);
	if (whole == 0 || (whole > 1 && *at == '0'))
		return 0;
	at += whole;
	if (at < end && *at == '.') {
		count = digits(at + 1, end);
		if (count == 0)
			return 0;
		at += 1 + count;
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		at++;
		if (at < end && (*at == '+' || *at == '-'))
			at++;
		count = digits(at, end);
		if (count == 0)
			return 0;
		at += count;
	}
	return (size_t)(at - text);
}

/* ---- texts ---- */

static void put(struct reader *reader, const char *bytes, size_t length)
{
	memcpy(reader->pool, bytes, length);
	reader->pool += length;
}

static void put_point(struct reader *reader, uint32_t point)
{
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	char bytes[4];

	for (size_t i = length; i-- > 1; point >>= 6)
		bytes[i] = (char)(0x80 | (point & 0x3f));
	bytes[0] = (char)(first[length] | point);
	put(reader, bytes, length);
}

/* Four digits of a unit of UTF-16. */
static bool take_unit(struct reader *reader, uint32_t *ret)
{
	*ret = 0;
	if (reader->end - reader->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)*reader->at++;

		if (!isxdigit(c))
			return false;
		*ret = *ret << 4 | (uint32_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	return true;
}

/* Behind `\u`: a character, of one unit or a pair. */
static bool take_point(struct reader *reader)
{
	uint32_t point, low;

	if (!take_unit(reader, &point) || point == 0 || (point >= 0xdc00 && point <= 0xdfff))
		return false;
	if (point >= 0xd800 && point < 0xdc00) {
		if (reader->end - reader->at < 2 || memcmp(reader->at, "\\u", 2) != 0)
			return false;
		reader->at += 2;
		if (!take_unit(reader, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
	}
	put_point(reader, point);
	return true;
}

/* Behind the backslash. */
static bool take_escape(struct reader *reader)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (reader->at == reader->end)
		return false;
	if (*reader->at == 'u') {
		reader->at++;
		return take_point(reader);
	}
	letter = *reader->at ? strchr(letters, *reader->at) : NULL;
	if (!letter)
		return false;
	reader->at++;
	put(reader, &values[letter - letters], 1);
	return true;
}

static bool is_plain(unsigned char c)
{
	return c >= ' ' && c < 0x80 && c != '"' && c != '\\';
}

/* What stands for itself, as far as it goes; false where it is no UTF-8. */
static bool take_plain(struct reader *reader)
{
	const char *begin = reader->at;
	uint32_t point;
	size_t length = 1;

	while (length && reader->at < reader->end) {
		if (is_plain((unsigned char)*reader->at))
			length = 1;
		else if ((unsigned char)*reader->at >= 0x80)
			length = printable_decode(reader->at, (size_t)(reader->end - reader->at),
						  &point);
		else
			break;
		reader->at += length;
	}
	put(reader, begin, (size_t)(reader->at - begin));
	return length != 0;
}

/* NULL when it is none; the reason is set. */
static const char *take_text(struct reader *reader)
{
	const char *text = reader->pool, *begin = reader->at++;

	for (;;) {
		const char *place;

		if (!take_plain(reader)) {
			refuse(reader, reader->at, "a text is not UTF-8");
			return NULL;
		}
		place = reader->at;
		if (place == reader->end) {
			refuse(reader, begin, "a text has no end");
			return NULL;
		}
		if (*place == '"')
			break;
		if (*place != '\\') {
			refuse(reader, place, "a control character in a text");
			return NULL;
		}
		reader->at++;
		if (!take_escape(reader)) {
			refuse(reader, place,
			       "an escape that is none, or stands for NUL or half a character");
			return NULL;
		}
	}
	reader->at++;
	put(reader, "", 1);
	return text;
}

/* ---- values ---- */

static int take_name(struct reader *reader)
{
	const char *place, *name;
	struct err why;

	if (peek(reader) != '"')
		return refuse(reader, reader->at, "expected the name of a member in quotes");
	place = reader->at;
	name = take_text(reader);
	if (!name)
		return STEP_WRONG;
	if (!take(reader, ':'))
		return refuse(reader, reader->at, "expected ':' behind the name of a member");
	if (!reader->sink->name(reader->data, name, &why))
		return refuse(reader, place, why.text);
	return STEP_VALUE;
}

static int open_level(struct reader *reader, bool object)
{
	if (reader->depth == JSON_DEPTH)
		return refuse_size(reader, "more than 500 levels");
	reader->at++;
	reader->objects[reader->depth++] = object;
	reader->sink->open(reader->data, object);
	if (peek(reader) == (object ? '}' : ']'))
		return STEP_DONE;
	return object ? take_name(reader) : STEP_VALUE;
}

static int take_word(struct reader *reader)
{
	static const struct {
		const char *word;
		enum json_scalar type;
	} words[] = {{"true", JSON_TRUE}, {"false", JSON_FALSE}, {"null", JSON_NULL}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i].word);

		if ((size_t)(reader->end - reader->at) < length ||
		    memcmp(reader->at, words[i].word, length) != 0)
			continue;
		reader->at += length;
		reader->sink->scalar(reader->data, words[i].type, words[i].word);
		return STEP_DONE;
	}
	return refuse(reader, reader->at,
		      reader->at == reader->end ? "expected a value, this is the end"
						: "expected a value");
}

static int take_number(struct reader *reader)
{
	size_t length = json_number_length(reader->at, (size_t)(reader->end - reader->at));
	const char *text = reader->pool;

	if (!length)
		return refuse(reader, reader->at, "a number that is none");
	put(reader, reader->at, length);
	put(reader, "", 1);
	reader->at += length;
	reader->sink->scalar(reader->data, JSON_NUMBER, text);
	return STEP_DONE;
}

static int take_value(struct reader *reader)
{
	char c = peek(reader);
	const char *text;

	if (reader->values++ == JSON_VALUES)
		return refuse_size(reader, "more than a million values");
	if (c == '{' || c == '[')
		return open_level(reader, c == '{');
	if (c == '-' || isdigit((unsigned char)c))
		return take_number(reader);
	if (c != '"')
		return take_word(reader);
	text = take_text(reader);
	if (!text)
		return STEP_WRONG;
	reader->sink->scalar(reader->data, JSON_TEXT, text);
	return STEP_DONE;
}

/* Behind a value, or at the end of an empty level. DONE: the level ends here. */
static int take_separator(struct reader *reader)
{
	bool object = reader->objects[reader->depth - 1];

	if (take(reader, object ? '}' : ']')) {
		reader->depth--;
		reader->sink->close(reader->data);
		return STEP_DONE;
	}
	if (!take(reader, ','))
		return refuse(reader, reader->at,
			      object ? "expected ',' or '}'" : "expected ',' or ']'");
	return object ? take_name(reader) : STEP_VALUE;
}

int json_read(const char *text, size_t length, char *pool, const struct json_sink *sink, void *data,
	      struct err *err)
{
	struct reader reader = {
		.begin = text,
		.at = text,
		.end = text + length,
		.pool = pool,
		.sink = sink,
		.data = data,
		.err = err,
	};
	int step;

	do {
		step = take_value(&reader);
		while (step == STEP_DONE && reader.depth)
			step = take_separator(&reader);
	} while (step == STEP_VALUE);
	if (step == STEP_WRONG)
		return -1;
	skip_blanks(&reader);
	if (reader.at != reader.end)
		return refuse(&reader, reader.at, "something stands behind the value");
	return 0;
}
