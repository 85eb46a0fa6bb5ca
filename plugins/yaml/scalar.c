/* SPDX-License-Identifier: Apache-2.0 */
#include "scalar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	uint32_t kind;
} words[] = {
	{"", SPK_DOCUMENT_NULL},       {"~", SPK_DOCUMENT_NULL},      {"null", SPK_DOCUMENT_NULL},
	{"Null", SPK_DOCUMENT_NULL},   {"NULL", SPK_DOCUMENT_NULL},   {"yes", SPK_DOCUMENT_TRUE},
	{"Yes", SPK_DOCUMENT_TRUE},    {"YES", SPK_DOCUMENT_TRUE},    {"no", SPK_DOCUMENT_FALSE},
	{"No", SPK_DOCUMENT_FALSE},    {"NO", SPK_DOCUMENT_FALSE},    {"true", SPK_DOCUMENT_TRUE},
	{"True", SPK_DOCUMENT_TRUE},   {"TRUE", SPK_DOCUMENT_TRUE},   {"false", SPK_DOCUMENT_FALSE},
	{"False", SPK_DOCUMENT_FALSE}, {"FALSE", SPK_DOCUMENT_FALSE}, {"on", SPK_DOCUMENT_TRUE},
	{"On", SPK_DOCUMENT_TRUE},     {"ON", SPK_DOCUMENT_TRUE},     {"off", SPK_DOCUMENT_FALSE},
	{"Off", SPK_DOCUMENT_FALSE},   {"OFF", SPK_DOCUMENT_FALSE},
};

/* Digits of a base with '_' between them, behind an optional sign; false for anything else. */
static bool take_integer(const char *text, size_t length, struct text *number)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	bool negative = *text == '-';
	struct text plain = {0};
	size_t at = *text == '-' || *text == '+';
	unsigned long long value;
	int base = 10;
	bool good;

	if (length - at > 2 && text[at] == '0' && (text[at + 1] == 'x' || text[at + 1] == 'b')) {
		base = text[at + 1] == 'x' ? 16 : 2;
		at += 2;
	} else if (length - at > 1 && text[at] == '0') {
		base = 8;
		at++;
	}
	good = at < length && text[at] != '_';
	for (; at < length; at++)
		if (text[at] != '_')
			text_add(&plain, text + at, 1);
	good = good && plain.length > 0 && plain.length <= 64 &&
	       strspn(plain.bytes, digits) == plain.length &&
	       (base == 16 || strspn(plain.bytes, "0123456789") == plain.length) &&
	       (base != 8 || strspn(plain.bytes, "01234567") == plain.length) &&
	       (base != 2 || strspn(plain.bytes, "01") == plain.length);
	errno = 0;
	value = good ? strtoull(plain.bytes, NULL, base) : 0;
	good = good && errno == 0;
	if (good)
		text_printf(number, "%s%llu", negative && value ? "-" : "", value);
	text_free(&plain);
	return good;
}

/* A point and digits around it, perhaps an exponent with its sign. */
static bool take_fraction(const char *text, size_t length, struct text *number)
{
	const char *c = text + (*text == '-' || *text == '+'), *end;
	size_t whole = strspn(c, "0123456789"), part;

	if (c[whole] != '.' || (whole > 1 && *c == '0'))
		return false;
	part = strspn(c + whole + 1, "0123456789");
	end = c + whole + 1 + part;
	if (!whole && !part)
		return false;
	if (*end == 'e' || *end == 'E') {
		size_t exponent;

		if (end[1] != '+' && end[1] != '-')
			return false;
		exponent = strspn(end + 2, "0123456789");
		if (exponent == 0 || exponent > 3)
			return false;
		end += 2 + exponent;
	}
	if (end != text + length)
		return false;
	text_puts(number, *text == '-' ? "-" : "");
	text_puts(number, whole ? "" : "0");
	text_add(number, c, whole);
	text_puts(number, ".");
	text_puts(number, part ? "" : "0");
	text_puts(number, c + whole + 1);
	return true;
}

uint32_t scalar_kind(const char *text, size_t length, struct text *number)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i].text) == length && memcmp(words[i].text, text, length) == 0)
			return words[i].kind;
	if (take_integer(text, length, number) || take_fraction(text, length, number))
		return SPK_DOCUMENT_NUMBER;
	return SPK_DOCUMENT_TEXT;
}
