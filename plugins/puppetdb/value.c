/* SPDX-License-Identifier: Apache-2.0 */
#include "value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/memory.h"

/* Longer numbers are none that anybody means. */
#define DIGITS_MAX 64

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t span(const char *at, const char *end, const char *class)
{
	size_t length = 0;

	while (at + length < end && at[length] && strchr(class, at[length]))
		length++;
	return length;
}

static size_t digits(const char *at, const char *end)
{
	return span(at, end, "0123456789");
}

const char *quoted_end(const char *at, const char *end)
{
	char quote;

	if (at == end || (*at != '"' && *at != '\''))
		return at;
	quote = *at;
	for (const char *c = at + 1; c < end && *c != '\n' && *c != '\r'; c++) {
		if (*c == '\\' && c + 1 < end)
			c++;
		else if (*c == quote && c + 1 < end && c[1] == quote)
			c++;
		else if (*c == quote)
			return c + 1;
	}
	return at;
}

static size_t hexadecimal_length(const char *at, const char *end)
{
	size_t length;

	if (end - at < 3 || strncasecmp(at, "0x", 2) != 0)
		return 0;
	length = span(at + 2, end, "0123456789abcdefABCDEF");
	return length ? length + 2 : 0;
}

static size_t octal_length(const char *at, const char *end)
{
	size_t length = at < end && *at == '0' ? span(at, end, "01234567") : 0;

	return length > 1 ? length : 0;
}

static size_t exponent_length(const char *at, const char *end)
{
	const char *c = at;

	if (c == end || (*c != 'e' && *c != 'E'))
		return 0;
	c++;
	if (c < end && (*c == '+' || *c == '-'))
		c++;
	return digits(c, end) ? (size_t)(c - at) + digits(c, end) : 0;
}

static size_t decimal_length(const char *at, const char *end)
{
	const char *c = at;
	size_t whole, fraction = 0;

	if (c < end && (*c == '+' || *c == '-'))
		c++;
	whole = digits(c, end);
	c += whole;
	if (c < end && *c == '.') {
		fraction = digits(c + 1, end);
		if (whole || fraction)
			c += 1 + fraction;
	}
	if (!whole && !fraction)
		return 0;
	return (size_t)(c - at) + exponent_length(c, end);
}

static size_t bareword_length(const char *at, const char *end)
{
	if (end - at >= 4 && strncmp(at, "true", 4) == 0)
		return 4;
	return end - at >= 5 && strncmp(at, "false", 5) == 0 ? 5 : 0;
}

/* What is neither blank nor a parenthesis of one of the languages. */
static size_t word_length(const char *at, const char *end)
{
	size_t length = 0;

	while (at + length < end && at[length] > ' ' && at[length] <= '~' &&
	       !strchr("(){}", at[length]))
		length++;
	return length;
}

static bool put_integer(const char *digit, size_t length, int base, struct text *out)
{
	char copy[DIGITS_MAX + 1];
	unsigned long long number;

	if (length > DIGITS_MAX)
		return false;
	memcpy(copy, digit, length);
	copy[length] = '\0';
	errno = 0;
	number = strtoull(copy, NULL, base);
	text_printf(out, "%llu", number);
	return errno == 0;
}

/* As JSON has it: no plus, no zeros before others, digits on both sides of the point. */
static bool put_decimal(const char *at, size_t length, struct text *out)
{
	const char *end = at + length;
	size_t whole;

	if (length > DIGITS_MAX)
		return false;
	if (*at == '-')
		text_puts(out, "-");
	at += *at == '-' || *at == '+';
	whole = digits(at, end);
	while (whole > 1 && *at == '0') {
		at++;
		whole--;
	}
	text_add(out, whole ? at : "0", whole ? whole : 1);
	at += whole;
	if (at < end && *at == '.') {
		at++;
		text_puts(out, ".");
		if (at == end || !is_digit(*at))
			text_puts(out, "0");
	}
	text_add(out, at, (size_t)(end - at));
	return true;
}

/* The longest reading of what stands there wins; of several, the first here. */
const char *value_read(const char *at, const char *end, struct value *ret)
{
	enum { HEXADECIMAL, OCTAL, DECIMAL, BAREWORD, QUOTED, WORD, READINGS };
	const size_t lengths[READINGS] = {
		[HEXADECIMAL] = hexadecimal_length(at, end),
		[OCTAL] = octal_length(at, end),
		[DECIMAL] = decimal_length(at, end),
		[BAREWORD] = bareword_length(at, end),
		[QUOTED] = (size_t)(quoted_end(at, end) - at),
		[WORD] = word_length(at, end),
	};
	size_t length = 0;
	int reading = WORD;
	bool good = true;

	for (int i = 0; i < READINGS; i++)
		if (lengths[i] > length) {
			length = lengths[i];
			reading = i;
		}
	*ret = (struct value){.is_text = reading == QUOTED || reading == WORD};
	if (length == 0)
		return at;
	if (reading == HEXADECIMAL)
		good = put_integer(at + 2, length - 2, 16, &ret->text);
	else if (reading == OCTAL)
		good = put_integer(at, length, 8, &ret->text);
	else if (reading == DECIMAL)
		good = put_decimal(at, length, &ret->text);
	else if (reading == QUOTED)
		text_add(&ret->text, at + 1, length - 2);
	else
		text_add(&ret->text, at, length);
	if (good)
		return at + length;
	text_free(&ret->text);
	return NULL;
}
