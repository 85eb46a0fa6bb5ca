/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "memory.h"

#define NS_PER_SECOND INT64_C(1000000000)

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Room for `more` bytes and a NUL. */
static char *text_room(struct text *text, size_t more)
{
	if (text->capacity - text->length <= more) {
		text->capacity = text->length + more + 1 + text->length / 2;
		text->bytes = memory_resize(text->bytes, text->capacity);
	}
	return text->bytes + text->length;
}

void text_add(struct text *text, const void *bytes, size_t length)
{
	char *end = text_room(text, length);

	if (length)
		memcpy(end, bytes, length);
	end[length] = '\0';
	text->length += length;
}

void text_puts(struct text *text, const char *added)
{
	text_add(text, added, strlen(added));
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args, again;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length > 0) {
		vsnprintf(text_room(text, (size_t)length), (size_t)length + 1, format, again);
		text->length += (size_t)length;
	}
	va_end(again);
}

void text_consume(struct text *text, size_t length)
{
	memmove(text->bytes, text->bytes + length, text->length - length + 1);
	text->length -= length;
}

void text_clear(struct text *text)
{
	if (text->bytes)
		explicit_bzero(text->bytes, text->length);
	text->length = 0;
}

void text_free(struct text *text)
{
	memory_free(text->bytes);
	memset(text, 0, sizeof(*text));
}

void text_add_base64(struct text *text, const void *bytes, size_t length)
{
	const unsigned char *in = bytes;
	char *out = text_room(text, (length + 2) / 3 * 4);

	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t group = (uint32_t)in[i] << 16;

		if (left > 1)
			group |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			group |= in[i + 2];
		*out++ = base64_digits[group >> 18];
		*out++ = base64_digits[group >> 12 & 63];
		*out++ = left > 1 ? base64_digits[group >> 6 & 63] : '=';
		*out++ = left > 2 ? base64_digits[group & 63] : '=';
	}
	*out = '\0';
	text->length += (length + 2) / 3 * 4;
}

static int base64_value(char c)
{
	const char *found = c ? strchr(base64_digits, c) : NULL;

	return found ? (int)(found - base64_digits) : -1;
}

bool text_add_from_base64(struct text *text, const char *base64)
{
	size_t length = strlen(base64), before = text->length, padding = 0;
	uint32_t group = 0;
	char *out;

	if (length % 4)
		return false;
	while (padding < 2 && padding < length && base64[length - 1 - padding] == '=')
		padding++;
	out = text_room(text, length / 4 * 3);
	for (size_t i = 0; i < length; i++) {
		int value = i < length - padding ? base64_value(base64[i]) : 0;

		if (value < 0) {
			text->bytes[before] = '\0';
			return false;
		}
		group = group << 6 | (uint32_t)value;
		if (i % 4 == 3) {
			*out++ = (char)(group >> 16 & 255);
			*out++ = (char)(group >> 8 & 255);
			*out++ = (char)(group & 255);
			group = 0;
		}
	}
	text->length += length / 4 * 3 - padding;
	text->bytes[text->length] = '\0';
	return true;
}

void text_add_escaped(struct text *text, const char *added)
{
	for (const char *c = added; *c; c++) {
		if (isascii(*c) && (isalnum((unsigned char)*c) || strchr("-._~", *c)))
			text_add(text, c, 1);
		else
			text_printf(text, "%%%02X", (unsigned char)*c);
	}
}

void reason_set(struct spk_reason_buffer *reason, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(reason->text, sizeof(reason->text), format, args);
	va_end(args);
	if (length >= (int)sizeof(reason->text))
		memcpy(reason->text + sizeof(reason->text) - 4, "...", 4);
	for (char *c = reason->text; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

bool parse_number(const char *text, uint64_t most, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (!*text)
		return false;
	for (const char *c = text; *c; c++) {
		uint64_t digit = (uint64_t)(*c - '0');

		if (*c < '0' || *c > '9' || digit > most || number > (most - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret_number = number;
	return true;
}

void stamp_write(int64_t realtime_ns, char out[static STAMP_SIZE])
{
	time_t seconds = realtime_ns / NS_PER_SECOND;
	long micros = (long)(realtime_ns % NS_PER_SECOND / 1000);
	size_t length;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	length = strftime(out, STAMP_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
	if (micros)
		snprintf(out + length, STAMP_SIZE - length, ".%06ld+00:00", micros);
	else
		snprintf(out + length, STAMP_SIZE - length, "+00:00");
}

/* `digits` digits at *text, which moves behind them; -1 when there are others. */
static int take_digits(const char **text, int digits)
{
	int number = 0;

	for (int i = 0; i < digits; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return -1;
		number = number * 10 + (**text - '0');
	}
	return number;
}

static bool take(const char **text, const char *one_of)
{
	if (!**text || !strchr(one_of, **text))
		return false;
	(*text)++;
	return true;
}

/* "+00:00", "-05:30:10", "Z": in seconds. */
static bool read_offset(const char *text, int64_t *ret_seconds)
{
	int64_t sign = *text == '-' ? -1 : 1;
	int hours, minutes, seconds = 0;

	if (strcmp(text, "Z") == 0) {
		*ret_seconds = 0;
		return true;
	}
	if (!take(&text, "+-"))
		return false;
	hours = take_digits(&text, 2);
	if (hours < 0 || hours > 23 || !take(&text, ":"))
		return false;
	minutes = take_digits(&text, 2);
	if (minutes < 0 || minutes > 59)
		return false;
	if (take(&text, ":"))
		seconds = take_digits(&text, 2);
	if (seconds < 0 || seconds > 59 || *text)
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60 + seconds);
	return true;
}

bool stamp_read(const char *text, int64_t *ret_realtime_ns)
{
	int64_t fraction = 0, unit = NS_PER_SECOND / 10, offset;
	struct tm tm = {0}, made;
	time_t seconds;

	tm.tm_year = take_digits(&text, 4) - 1900;
	if (!take(&text, "-"))
		return false;
	tm.tm_mon = take_digits(&text, 2) - 1;
	if (!take(&text, "-"))
		return false;
	tm.tm_mday = take_digits(&text, 2);
	if (!take(&text, " T"))
		return false;
	tm.tm_hour = take_digits(&text, 2);
	if (!take(&text, ":"))
		return false;
	tm.tm_min = take_digits(&text, 2);
	if (!take(&text, ":"))
		return false;
	tm.tm_sec = take_digits(&text, 2);
	if (take(&text, ".")) {
		if (*text < '0' || *text > '9')
			return false;
		for (; *text >= '0' && *text <= '9'; text++, unit /= 10)
			fraction += unit * (*text - '0');
	}
	if (!read_offset(text, &offset) || tm.tm_year < 70 || tm.tm_year > 300)
		return false;
	made = tm;
	seconds = timegm(&made);
	if (made.tm_mon != tm.tm_mon || made.tm_mday != tm.tm_mday || made.tm_hour != tm.tm_hour ||
	    made.tm_min != tm.tm_min || made.tm_sec != tm.tm_sec)
		return false;
	*ret_realtime_ns = ((int64_t)seconds - offset) * NS_PER_SECOND + fraction;
	return true;
}
