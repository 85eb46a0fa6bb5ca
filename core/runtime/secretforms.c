/* SPDX-License-Identifier: Apache-2.0 */
#include "secretforms.h"

#include <stdint.h>
#include <string.h>

#include "secretmem.h"

/* Of a base64 form without its edges, or of a line: shorter ones would be found by chance. */
#define EDGELESS_MIN 6
#define LINE_MIN 8
/* The longest form has six bytes for one: \uXXXX. */
#define GROWTH 6

struct maker {
	const char *text;
	size_t length;
	secretforms_sink *sink;
	void *data;
	char *out; /* GROWTH * length and a little */
	size_t used;
};

static int tell(struct maker *maker, size_t from, bool part)
{
	size_t length = maker->used - from;

	if (length < SECRET_MIN ||
	    (length == maker->length && memcmp(maker->out + from, maker->text, length) == 0))
		return 0;
	return maker->sink(maker->data, maker->out + from, length, part);
}

static void put(struct maker *maker, const char *bytes, size_t length)
{
	memcpy(maker->out + maker->used, bytes, length);
	maker->used += length;
}

static void put_char(struct maker *maker, char c)
{
	maker->out[maker->used++] = c;
}

static void put_hex(struct maker *maker, const char *digits, unsigned int value, int count)
{
	while (count-- > 0)
		put_char(maker, digits[value >> (4 * count) & 15]);
}

static const char upper[] = "0123456789ABCDEF", lower[] = "0123456789abcdef";

/* ---- base64 ---- */

/* As if `before` bytes that are not known stood in front; ends with the last whole digit. */
static void put_base64(struct maker *maker, size_t before, const char *last_two)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t bits = 8 * (before + maker->length);

	for (size_t bit = 0; bit < bits; bit += 6) {
		unsigned int value = 0;

		for (size_t i = bit; i < bit + 6; i++) {
			size_t byte = i / 8;
			bool set = byte >= before && byte < before + maker->length &&
				   ((unsigned char)maker->text[byte - before] >> (7 - i % 8) & 1);

			value = value << 1 | set;
		}
		put_char(maker, value < 62 ? digits[value] : last_two[value - 62]);
	}
}

static int make_base64(struct maker *maker)
{
	static const char *const alphabets[] = {"+/", "-_"};
	int rc = 0;

	for (size_t i = 0; i < 2 && rc == 0; i++) {
		for (size_t before = 0; before < 3 && rc == 0; before++) {
			/* Digits that the bytes before and behind have a part in. */
			size_t first = (8 * before + 5) / 6;
			size_t whole = 8 * (before + maker->length) / 6;

			maker->used = 0;
			put_base64(maker, before, alphabets[i]);
			if (before == 0) {
				while (maker->used % 4)
					put_char(maker, '=');
				rc = tell(maker, 0, false);
			}
			maker->used = whole;
			if (rc == 0 && whole >= first + EDGELESS_MIN)
				rc = tell(maker, first, false);
		}
	}
	return rc;
}

/* ---- percent-encoding ---- */

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static int make_percent(struct maker *maker, const char *digits, bool slash, bool plus)
{
	maker->used = 0;
	for (size_t i = 0; i < maker->length; i++) {
		char c = maker->text[i];

		if (is_unreserved(c) || (slash && c == '/')) {
			put_char(maker, c);
		} else if (plus && c == ' ') {
			put_char(maker, '+');
		} else {
			put_char(maker, '%');
			put_hex(maker, digits, (unsigned char)c, 2);
		}
	}
	return tell(maker, 0, false);
}

/* ---- JSON ---- */

/* The code point at `text`, and how many bytes it has; a byte that is no UTF-8 stands for itself.
 */
static uint32_t code_point(const char *text, size_t left, size_t *ret_bytes)
{
	unsigned char first = (unsigned char)text[0];
	size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
	uint32_t value = more == 3   ? first & 7U
			 : more == 2 ? first & 15U
			 : more      ? first & 31U
				     : first;

	*ret_bytes = 1;
	if (more >= left)
		return first;
	for (size_t i = 1; i <= more; i++) {
		if (((unsigned char)text[i] & 0xc0U) != 0x80U)
			return first;
		value = value << 6 | ((unsigned char)text[i] & 0x3fU);
	}
	*ret_bytes = more + 1;
	return value;
}

static void put_unicode(struct maker *maker, uint32_t value)
{
	if (value > 0xffff) {
		put(maker, "\\u", 2);
		put_hex(maker, lower, 0xd800 + ((value - 0x10000) >> 10 & 0x3ff), 4);
		value = 0xdc00 + ((value - 0x10000) & 0x3ff);
	}
	put(maker, "\\u", 2);
	put_hex(maker, lower, value, 4);
}

static int make_json(struct maker *maker, bool ascii, bool slash)
{
	static const char plain[] = "\"\\\n\r\t\b\f", letters[] = "\"\\nrtbf";
	size_t bytes;

	maker->used = 0;
	for (size_t i = 0; i < maker->length; i += bytes) {
		uint32_t value = code_point(maker->text + i, maker->length - i, &bytes);
		const char *found = value < 128 ? strchr(plain, (int)value) : NULL;

		if (found || (slash && value == '/')) {
			put_char(maker, '\\');
			put_char(maker, found ? letters[found - plain] : '/');
		} else if (value < ' ' || (ascii && value > 126)) {
			put_unicode(maker, value);
		} else {
			put(maker, maker->text + i, bytes);
		}
	}
	return tell(maker, 0, false);
}

/* ---- shell ---- */

static int make_shell(struct maker *maker, const char *quote)
{
	maker->used = 0;
	for (size_t i = 0; i < maker->length; i++) {
		if (maker->text[i] == '\'')
			put(maker, quote, strlen(quote));
		else
			put_char(maker, maker->text[i]);
	}
	return tell(maker, 0, false);
}

/* ---- lines ---- */

static int make_lines(struct maker *maker)
{
	size_t start = 0;
	int rc = 0;

	maker->used = 0;
	for (size_t i = 0; i < maker->length; i++)
		if (maker->text[i] != '\n')
			put_char(maker, maker->text[i]);
	if (maker->used == maker->length)
		return 0;
	rc = tell(maker, 0, false);
	for (size_t i = 0; i <= maker->length && rc == 0; i++) {
		if (i < maker->length && maker->text[i] != '\n')
			continue;
		maker->used = 0;
		put(maker, maker->text + start, i - start);
		if (maker->used >= LINE_MIN)
			rc = tell(maker, 0, true);
		start = i + 1;
	}
	return rc;
}

int secretforms_make(const char *text, size_t length, secretforms_sink *sink, void *data,
		     struct err *err)
{
	struct maker maker = {.text = text, .length = length, .sink = sink, .data = data};
	size_t size = GROWTH * length + 16;
	int rc;

	maker.out = secretmem_map(size, NULL, err);
	if (!maker.out)
		return -1;
	rc = sink(data, text, length, false);
	if (rc == 0)
		rc = make_base64(&maker);
	if (rc == 0)
		rc = make_percent(&maker, upper, false, false);
	if (rc == 0)
		rc = make_percent(&maker, lower, false, false);
	if (rc == 0)
		rc = make_percent(&maker, upper, true, false);
	if (rc == 0)
		rc = make_percent(&maker, upper, false, true);
	for (int i = 0; i < 4 && rc == 0; i++)
		rc = make_json(&maker, i & 1, i & 2);
	if (rc == 0)
		rc = make_shell(&maker, "'\\''");
	if (rc == 0)
		rc = make_shell(&maker, "'\"'\"'");
	if (rc == 0)
		rc = make_lines(&maker);
	secretmem_unmap(maker.out, size);
	return rc;
}
