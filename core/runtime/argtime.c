/* SPDX-License-Identifier: Apache-2.0 */
/* Dates, instants and durations from text: the part of argvalue.h that knows the calendar. */
#include "argvalue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECOND_NS 1000000000LL

static const struct unit {
	const char *name;
	int64_t ns;
} units[] = {
	{"w", 604800 * SECOND_NS},
	{"d", 86400 * SECOND_NS},
	{"h", 3600 * SECOND_NS},
	{"m", 60 * SECOND_NS},
	{"s", SECOND_NS},
	{"ms", 1000000},
	{"us", 1000},
	{"ns", 1},
};

#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))
#define UNIT_SECONDS 4

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly `count` digits; -1 when they are not there. */
static int take_number(const char **text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (!digit((*text)[i]))
			return -1;
		value = value * 10 + ((*text)[i] - '0');
	}
	*text += count;
	return value;
}

static bool take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

static bool leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days since 1970-01-01 of a day of the Gregorian calendar, years 1 to 9999. */
static int64_t days_of(int year, int month, int day)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	const int past = year - 1;

	return (int64_t)past * 365 + past / 4 - past / 100 + past / 400 + before[month - 1] +
	       (month > 2 && leap(year)) + day - 1 - 719162;
}

static int take_date(const char **text, int64_t *ret_days)
{
	static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day;

	if ((year = take_number(text, 4)) < 1 || !take_char(text, '-') ||
	    (month = take_number(text, 2)) < 1 || !take_char(text, '-') ||
	    (day = take_number(text, 2)) < 1)
		return -1;
	if (month > 12 || day > length[month - 1] + (month == 2 && leap(year)))
		return -1;
	*ret_days = days_of(year, month, day);
	return 0;
}

int date_read(const char *text, spk_date *ret, struct err *err)
{
	const char *p = text;
	int64_t days;

	if (take_date(&p, &days) < 0 || *p)
		return err_set(err, "not a date (YYYY-MM-DD): '%s'", text);
	ret->days = days;
	return 0;
}

/* HH[:MM[:SS[.fraction]]], digits beyond nanoseconds dropped. */
static int take_clock(const char **text, bool colons_optional, int64_t *ret_ns)
{
	int hour, minute = 0, second = 0;
	int64_t fraction = 0, weight = SECOND_NS / 10;
	bool colon;

	if ((hour = take_number(text, 2)) < 0 || hour > 23)
		return -1;
	colon = take_char(text, ':');
	if (colon || (colons_optional && digit(**text))) {
		if ((minute = take_number(text, 2)) < 0 || minute > 59)
			return -1;
		if (colon ? take_char(text, ':') : digit(**text)) {
			if ((second = take_number(text, 2)) < 0 || second > 59)
				return -1;
			if (**text == '.' || **text == ',') {
				if (!digit(*++*text))
					return -1;
				for (; digit(**text); (*text)++, weight /= 10)
					fraction += (**text - '0') * weight;
			}
		}
	}
	*ret_ns = (hour * 3600LL + minute * 60LL + second) * SECOND_NS + fraction;
	return 0;
}

int time_read(const char *text, spk_time *ret, struct err *err)
{
	const char *p = text;
	int64_t days, clock = 0, offset = 0, ns;

	if (take_date(&p, &days) < 0)
		goto bad;
	if (*p) {
		if (*p != 'T' && *p != 't' && *p != ' ')
			goto bad;
		p++;
		if (take_clock(&p, false, &clock) < 0)
			goto bad;
		if (*p == '+' || *p == '-') {
			const bool west = *p++ == '-';

			if (take_clock(&p, true, &offset) < 0)
				goto bad;
			if (west)
				offset = -offset;
		} else {
			take_char(&p, 'Z');
		}
		if (*p)
			goto bad;
	}
	if (__builtin_mul_overflow(days, 86400 * SECOND_NS, &ns) ||
	    __builtin_add_overflow(ns, clock - offset, &ns))
		return err_set(err, "date and time out of range: '%s'", text);
	ret->ns = ns;
	return 0;
bad:
	return err_set(err, "not a date and time (ISO 8601): '%s'", text);
}

/* Index of the unit at `text`, UNIT_COUNT when there is none; `ms` is not `m`. */
static size_t unit_at(const char *text)
{
	const size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz");

	for (size_t i = 0; i < UNIT_COUNT; i++) {
		if (strlen(units[i].name) == length && strncmp(units[i].name, text, length) == 0)
			return i;
	}
	return UNIT_COUNT;
}

int duration_read(const char *text, spk_duration *ret, struct err *err)
{
	const char *p = text;
	int64_t total = 0;
	size_t unit, next = 0;

	do {
		int64_t whole = 0, fraction = 0, scale = 1, part;

		if (!digit(*p))
			goto bad;
		for (; digit(*p); p++) {
			if (__builtin_mul_overflow(whole, 10, &whole) ||
			    __builtin_add_overflow(whole, *p - '0', &whole))
				goto range;
		}
		if (*p == '.') {
			if (!digit(*++p))
				goto bad;
			for (; digit(*p); p++) {
				if (scale < 1000000000000000LL) {
					fraction = fraction * 10 + (*p - '0');
					scale *= 10;
				}
			}
		}
		unit = p != text && !*p && next == 0 ? UNIT_SECONDS : unit_at(p);
		if (unit == UNIT_COUNT || unit < next)
			goto bad;
		if (*p)
			p += strlen(units[unit].name);
		next = unit + 1;
		if (__builtin_mul_overflow(whole, units[unit].ns, &part) ||
		    __builtin_add_overflow(total, part, &total) ||
		    __builtin_add_overflow(
			    total, (int64_t)((__int128)fraction * units[unit].ns / scale), &total))
			goto range;
	} while (*p);
	ret->ns = total;
	return 0;
range:
	return err_set(err, "duration out of range: '%s'", text);
bad:
	return err_set(err, "not a duration (such as 90, 20m, 1h30m, 7d): '%s'", text);
}

void duration_text(spk_duration duration, char ret[DURATION_TEXT_SIZE])
{
	const uint64_t second = SECOND_NS;
	uint64_t rest = duration.ns < 0 ? 0 - (uint64_t)duration.ns : (uint64_t)duration.ns;
	int used = snprintf(ret, DURATION_TEXT_SIZE, "%s", duration.ns < 0 ? "-" : "");

	/* from days down to minutes, then seconds with their fraction */
	for (size_t i = 1; i < UNIT_SECONDS; i++) {
		const uint64_t count = rest / (uint64_t)units[i].ns;

		rest %= (uint64_t)units[i].ns;
		if (count)
			used += snprintf(ret + used, DURATION_TEXT_SIZE - (size_t)used,
					 "%" PRIu64 "%s", count, units[i].name);
	}
	if (rest % second) {
		used += snprintf(ret + used, DURATION_TEXT_SIZE - (size_t)used,
				 "%" PRIu64 ".%09" PRIu64, rest / second, rest % second);
		while (ret[used - 1] == '0')
			used--;
		snprintf(ret + used, DURATION_TEXT_SIZE - (size_t)used, "s");
	} else if (rest || duration.ns == 0) {
		snprintf(ret + used, DURATION_TEXT_SIZE - (size_t)used, "%" PRIu64 "s",
			 rest / second);
	}
}
