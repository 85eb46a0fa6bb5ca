/* SPDX-License-Identifier: Apache-2.0 */
/* One text at a time; lists are in strings.c, what a shell reads is in shell.c. */
#include <spicerack/text.h>

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/error.h>
#include <spicerack/session.h>

#include "mem.h"
#include "copy.h"
#include "misuse.h"

#define WHITE_SPACE " \t\n\v\f\r"

const char *spk_vformat(struct spk *spk, const char *format, va_list args)
{
	va_list again;
	char *text;
	int length;

	CHECK_GIVEN(format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		session_misuse("spk_format", "cannot print '%s'", format);
	text = spk_alloc(spk, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, args);
	mem_wipe_stack();
	return text;
}

const char *spk_format(struct spk *spk, const char *format, ...)
{
	const char *text;
	va_list args;

	CHECK_GIVEN(format);
	va_start(args, format);
	text = spk_vformat(spk, format, args);
	va_end(args);
	return text;
}

bool spk_streq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool spk_is_empty(const char *text)
{
	return !text || !*text;
}

bool spk_has_prefix(const char *text, const char *prefix)
{
	CHECK_GIVEN(text);
	CHECK_GIVEN(prefix);
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool spk_has_suffix(const char *text, const char *suffix)
{
	size_t all, end;

	CHECK_GIVEN(text);
	CHECK_GIVEN(suffix);
	all = strlen(text);
	end = strlen(suffix);
	return end <= all && memcmp(text + all - end, suffix, end) == 0;
}

bool spk_contains(const char *text, const char *part)
{
	CHECK_GIVEN(text);
	CHECK_GIVEN(part);
	return strstr(text, part) != NULL;
}

const char *spk_strip_prefix(struct spk *spk, const char *text, const char *prefix)
{
	CHECK_GIVEN(text);
	CHECK_GIVEN(prefix);
	return copy_text(spk, spk_has_prefix(text, prefix) ? text + strlen(prefix) : text);
}

const char *spk_strip_suffix(struct spk *spk, const char *text, const char *suffix)
{
	size_t length;

	CHECK_GIVEN(text);
	CHECK_GIVEN(suffix);
	length = strlen(text);
	if (spk_has_suffix(text, suffix))
		length -= strlen(suffix);
	return copy_bytes(spk, text, length);
}

const char *spk_trim(struct spk *spk, const char *text)
{
	size_t length;

	CHECK_GIVEN(text);
	text += strspn(text, WHITE_SPACE);
	length = strlen(text);
	while (length && strchr(WHITE_SPACE, text[length - 1]))
		length--;
	return copy_bytes(spk, text, length);
}

/* A copy with every byte from `first` to `last` moved by `distance`. */
static const char *shift(struct spk *spk, const char *text, char first, char last, int distance)
{
	char *copy = copy_text(spk, text);

	for (char *c = copy; *c; c++) {
		if (*c >= first && *c <= last)
			*c = (char)(*c + distance);
	}
	return copy;
}

const char *spk_lower(struct spk *spk, const char *text)
{
	CHECK_GIVEN(text);
	return shift(spk, text, 'A', 'Z', 'a' - 'A');
}

const char *spk_upper(struct spk *spk, const char *text)
{
	CHECK_GIVEN(text);
	return shift(spk, text, 'a', 'z', 'A' - 'a');
}

const char *spk_replace(struct spk *spk, const char *text, const char *from, const char *to)
{
	size_t from_length, to_length, length, count = 0;
	const char *found;
	char *result, *end;

	CHECK_GIVEN(text);
	CHECK_NOT_EMPTY(from);
	CHECK_GIVEN(to);
	from_length = strlen(from);
	to_length = strlen(to);
	length = strlen(text);
	for (found = text; (found = strstr(found, from)); found += from_length)
		count++;
	if (to_length > from_length &&
	    __builtin_mul_overflow(count, to_length - from_length, &(size_t){0}))
		spk_raise(spk, "text", NULL, "cannot replace '%s': the text would be too long",
			  from);
	result = spk_alloc(spk, length - count * from_length + count * to_length + 1);
	for (end = result; (found = strstr(text, from)); text = found + from_length) {
		end = mempcpy(end, text, (size_t)(found - text));
		end = mempcpy(end, to, to_length);
	}
	memcpy(end, text, strlen(text));
	return result;
}

const char *spk_before(struct spk *spk, const char *text, const char *separator)
{
	const char *found;

	CHECK_GIVEN(text);
	CHECK_NOT_EMPTY(separator);
	found = strstr(text, separator);
	return copy_bytes(spk, text, found ? (size_t)(found - text) : strlen(text));
}

const char *spk_after(struct spk *spk, const char *text, const char *separator)
{
	const char *found;

	CHECK_GIVEN(text);
	CHECK_NOT_EMPTY(separator);
	found = strstr(text, separator);
	return found ? copy_text(spk, found + strlen(separator)) : NULL;
}

long long spk_to_int(struct spk *spk, const char *text)
{
	const char *digits;
	long long value;
	char *end;

	CHECK_GIVEN(text);
	digits = text + strspn(text, WHITE_SPACE);
	errno = 0;
	value = strtoll(digits, &end, 10);
	if (end == digits || end[strspn(end, WHITE_SPACE)])
		spk_raise(spk, "text", NULL, "'%s' is no whole number", text);
	if (errno == ERANGE)
		spk_raise(spk, "text", NULL, "the number '%s' is too large", text);
	return value;
}

/*
 * Whether the text starts with a decimal number, ended by white space or by the end of the
 * text; whatever locale a cookbook may have set, and without "inf", "nan" and 0x1p3.
 */
static bool read_double(const char *text, double *value, const char **ret_end)
{
	static locale_t c_locale;
	size_t length = strspn(text, "+-.0123456789eE");
	char *end;

	if (!c_locale)
		c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	*value = strtod_l(text, &end, c_locale);
	*ret_end = end;
	return length && end == text + length;
}

double spk_to_double(struct spk *spk, const char *text)
{
	const char *end;
	double value;

	CHECK_GIVEN(text);
	if (!read_double(text + strspn(text, WHITE_SPACE), &value, &end) ||
	    end[strspn(end, WHITE_SPACE)])
		spk_raise(spk, "text", NULL, "'%s' is no number", text);
	if (!isfinite(value))
		spk_raise(spk, "text", NULL, "the number '%s' is too large", text);
	return value;
}
