/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonscan.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jsontext.h"
#include "mem.h"
#include "printable.h"

#define DEPTH_MAX 64

struct scanner {
	const char *at, *end;
};

static bool scan_value(struct scanner *scanner, unsigned int depth);

static void skip_blanks(struct scanner *scanner)
{
	while (scanner->at < scanner->end && strchr(" \t\r\n", *scanner->at) && *scanner->at)
		scanner->at++;
}

static bool take(struct scanner *scanner, char c)
{
	if (scanner->at == scanner->end || *scanner->at != c)
		return false;
	scanner->at++;
	return true;
}

static bool take_word(struct scanner *scanner, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(scanner->end - scanner->at) < length || memcmp(scanner->at, word, length) != 0)
		return false;
	scanner->at += length;
	return true;
}

static size_t take_digits(struct scanner *scanner)
{
	const char *start = scanner->at;

	while (scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9')
		scanner->at++;
	return (size_t)(scanner->at - start);
}

static bool scan_number(struct scanner *scanner)
{
	take(scanner, '-');
	if (!take(scanner, '0') && !take_digits(scanner))
		return false;
	if (take(scanner, '.') && !take_digits(scanner))
		return false;
	if (take(scanner, 'e') || take(scanner, 'E')) {
		if (!take(scanner, '+'))
			take(scanner, '-');
		return take_digits(scanner) > 0;
	}
	return true;
}

static bool scan_escape(struct scanner *scanner)
{
	if (scanner->at == scanner->end)
		return false;
	if (*scanner->at++ != 'u')
		return strchr("\"\\/bfnrt", scanner->at[-1]) && scanner->at[-1];
	for (int i = 0; i < 4; i++, scanner->at++)
		if (scanner->at == scanner->end || !*scanner->at ||
		    !strchr("0123456789abcdefABCDEF", *scanner->at))
			return false;
	return true;
}

static bool scan_string(struct scanner *scanner)
{
	uint32_t point;

	if (!take(scanner, '"'))
		return false;
	while (scanner->at < scanner->end && *scanner->at != '"') {
		size_t used = 1;

		if ((unsigned char)*scanner->at < ' ')
			return false;
		if (*scanner->at & 0x80)
			used = printable_decode(scanner->at, (size_t)(scanner->end - scanner->at),
						&point);
		if (!used)
			return false;
		scanner->at += used;
		if (scanner->at[-1] == '\\' && used == 1 && !scan_escape(scanner))
			return false;
	}
	return take(scanner, '"');
}

/* Behind the bracket. */
static bool scan_inside(struct scanner *scanner, char end, unsigned int depth)
{
	skip_blanks(scanner);
	if (take(scanner, end))
		return true;
	do {
		skip_blanks(scanner);
		if (end == '}') {
			if (!scan_string(scanner))
				return false;
			skip_blanks(scanner);
			if (!take(scanner, ':'))
				return false;
		}
		if (!scan_value(scanner, depth))
			return false;
		skip_blanks(scanner);
	} while (take(scanner, ','));
	return take(scanner, end);
}

static bool scan_value(struct scanner *scanner, unsigned int depth)
{
	skip_blanks(scanner);
	if (depth > DEPTH_MAX || scanner->at == scanner->end)
		return false;
	switch (*scanner->at) {
	case '{':
		scanner->at++;
		return scan_inside(scanner, '}', depth + 1);
	case '[':
		scanner->at++;
		return scan_inside(scanner, ']', depth + 1);
	case '"':
		return scan_string(scanner);
	case 't':
		return take_word(scanner, "true");
	case 'f':
		return take_word(scanner, "false");
	case 'n':
		return take_word(scanner, "null");
	default:
		return scan_number(scanner);
	}
}

bool jsonscan_value(const char *text, size_t length, struct json_slice *ret)
{
	struct scanner scanner = {.at = text, .end = text + length};
	const char *start;

	skip_blanks(&scanner);
	start = scanner.at;
	if (!scan_value(&scanner, 0))
		return false;
	*ret = (struct json_slice){start, (size_t)(scanner.at - start)};
	skip_blanks(&scanner);
	return scanner.at == scanner.end;
}

char jsonscan_type(struct json_slice value)
{
	return strchr("{[\"tfn", *value.text) ? *value.text : '0';
}

void jsonscan_walk_start(struct jsonscan_walk *walk, struct json_slice value)
{
	char type = jsonscan_type(value);

	*walk = (struct jsonscan_walk){
		.at = value.text + 1, .end = value.text + value.length - 1, .members = type == '{'};
	if (type != '{' && type != '[')
		walk->at = walk->end;
}

bool jsonscan_walk_next(struct jsonscan_walk *walk)
{
	struct scanner scanner = {.at = walk->at, .end = walk->end};

	skip_blanks(&scanner);
	if (take(&scanner, ','))
		skip_blanks(&scanner);
	if (scanner.at >= scanner.end)
		return false;
	if (walk->members) {
		walk->name.text = scanner.at;
		scan_string(&scanner);
		walk->name.length = (size_t)(scanner.at - walk->name.text);
		skip_blanks(&scanner);
		take(&scanner, ':');
		skip_blanks(&scanner);
	}
	walk->value.text = scanner.at;
	scan_value(&scanner, 0);
	walk->value.length = (size_t)(scanner.at - walk->value.text);
	walk->at = scanner.at;
	return true;
}

/* ---- what is in a string ---- */

static uint32_t hexadecimal(const char *digits)
{
	char text[5] = {digits[0], digits[1], digits[2], digits[3], '\0'};

	return (uint32_t)strtoul(text, NULL, 16);
}

static void put_point(struct buf *out, uint32_t point)
{
	if (point < 0x80) {
		buf_putc(out, (char)point);
	} else if (point < 0x800) {
		buf_putc(out, (char)(0xc0 | point >> 6));
		buf_putc(out, (char)(0x80 | (point & 0x3f)));
	} else if (point < 0x10000) {
		buf_putc(out, (char)(0xe0 | point >> 12));
		buf_putc(out, (char)(0x80 | (point >> 6 & 0x3f)));
		buf_putc(out, (char)(0x80 | (point & 0x3f)));
	} else {
		buf_putc(out, (char)(0xf0 | point >> 18));
		buf_putc(out, (char)(0x80 | (point >> 12 & 0x3f)));
		buf_putc(out, (char)(0x80 | (point >> 6 & 0x3f)));
		buf_putc(out, (char)(0x80 | (point & 0x3f)));
	}
}

/* One or two units of UTF-16 behind `\u`. Returns how many characters they take, 0 for none. */
static size_t put_unit(struct buf *out, const char *at, const char *end)
{
	uint32_t point = hexadecimal(at), low;

	if (point >= 0xd800 && point < 0xdc00 && end - at >= 10 && at[4] == '\\' && at[5] == 'u') {
		low = hexadecimal(at + 6);
		if (low < 0xdc00 || low > 0xdfff)
			return 0;
		put_point(out, 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00));
		return 10;
	}
	if (point == 0 || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	put_point(out, point);
	return 4;
}

bool jsonscan_text(struct json_slice string, struct buf *out)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *at = string.text + 1, *end = string.text + string.length - 1;

	while (at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));
		const char *stop = escape ? escape : end;
		size_t used;

		buf_add(out, at, (size_t)(stop - at));
		at = stop;
		if (!escape)
			break;
		if (at[1] == 'u') {
			used = put_unit(out, at + 2, end);
			if (!used)
				return false;
			at += 2 + used;
		} else {
			buf_putc(out, bytes[strchr(names, at[1]) - names]);
			at += 2;
		}
	}
	return true;
}

bool jsonscan_is(struct json_slice string, const char *text)
{
	struct buf plain = {0};
	bool is;

	if (!memchr(string.text, '\\', string.length))
		return strlen(text) == string.length - 2 &&
		       memcmp(string.text + 1, text, string.length - 2) == 0;
	is = jsonscan_text(string, &plain) && strcmp(buf_text(&plain), text) == 0;
	buf_free(&plain);
	return is;
}

struct json_slice jsonscan_member(struct json_slice object, const char *name)
{
	struct json_slice found = {0};
	struct jsonscan_walk walk;

	if (jsonscan_type(object) != '{')
		return found;
	jsonscan_walk_start(&walk, object);
	while (jsonscan_walk_next(&walk))
		if (jsonscan_is(walk.name, name))
			found = walk.value;
	return found;
}

bool jsonscan_integer(struct json_slice number, long long *ret)
{
	char digits[24], *end;

	if (jsonscan_type(number) != '0' || number.length >= sizeof(digits))
		return false;
	memcpy(digits, number.text, number.length);
	digits[number.length] = '\0';
	errno = 0;
	*ret = strtoll(digits, &end, 10);
	return !*end && errno == 0;
}

/* ---- one way of writing ---- */

static int compare_names(const void *a, const void *b)
{
	const struct buf *one = a, *other = b;

	return strcmp(buf_text(one), buf_text(other));
}

/* Members as they will stand there, sorted. */
static void put_members(struct json_slice object, struct buf *out)
{
	struct buf *members = NULL;
	size_t count = 0, capacity = 0;
	struct jsonscan_walk walk;

	jsonscan_walk_start(&walk, object);
	while (jsonscan_walk_next(&walk)) {
		members = xgrow(members, count, &capacity, sizeof(*members));
		members[count] = (struct buf){0};
		jsonscan_canonical(walk.name, &members[count]);
		buf_putc(&members[count], ':');
		jsonscan_canonical(walk.value, &members[count]);
		count++;
	}
	if (count)
		qsort(members, count, sizeof(*members), compare_names);
	buf_putc(out, '{');
	for (size_t i = 0; i < count; i++) {
		buf_puts(out, i ? "," : "");
		buf_add(out, buf_text(&members[i]), members[i].length);
		buf_free(&members[i]);
	}
	buf_putc(out, '}');
	free(members);
}

static void put_items(struct json_slice list, struct buf *out)
{
	struct jsonscan_walk walk;
	bool first = true;

	buf_putc(out, '[');
	jsonscan_walk_start(&walk, list);
	while (jsonscan_walk_next(&walk)) {
		buf_puts(out, first ? "" : ",");
		jsonscan_canonical(walk.value, out);
		first = false;
	}
	buf_putc(out, ']');
}

void jsonscan_canonical(struct json_slice value, struct buf *out)
{
	struct buf text = {0};

	switch (jsonscan_type(value)) {
	case '{':
		put_members(value, out);
		break;
	case '[':
		put_items(value, out);
		break;
	case '"':
		if (jsonscan_text(value, &text))
			json_put_text(out, buf_text(&text));
		else
			buf_add(out, value.text, value.length);
		buf_free(&text);
		break;
	default:
		buf_add(out, value.text, value.length);
	}
}

bool jsonscan_equal(struct json_slice a, struct json_slice b)
{
	struct buf one = {0}, other = {0};
	bool equal;

	if (a.length == b.length && memcmp(a.text, b.text, a.length) == 0)
		return true;
	jsonscan_canonical(a, &one);
	jsonscan_canonical(b, &other);
	equal = strcmp(buf_text(&one), buf_text(&other)) == 0;
	buf_free(&one);
	buf_free(&other);
	return equal;
}
