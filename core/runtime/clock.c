/* SPDX-License-Identifier: Apache-2.0 */
/* Instants, days and spans: taken, reckoned with, written and read. */
#include <spicerack/clock.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <spicerack/session.h>
#include <spicerack/text.h>

#include "argvalue.h"
#include "copy.h"
#include "misuse.h"
#include "testing.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define SECONDS_PER_DAY INT64_C(86400)

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec +
	       (testing_now() ? *testing_now()->ahead_ns : 0);
}

spk_time spk_now(void)
{
	return (spk_time){read_clock(CLOCK_REALTIME)};
}

spk_duration spk_uptime(void)
{
	return (spk_duration){read_clock(CLOCK_BOOTTIME)};
}

/* Division towards minus infinity, so that instants before 1970 have a fraction that adds. */
static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

spk_date spk_today(void)
{
	time_t now = (time_t)(spk_now().ns / NS_PER_SECOND);
	struct tm local;

	if (!localtime_r(&now, &local))
		return (spk_date){now / SECONDS_PER_DAY};
	return (spk_date){floor_div((int64_t)now + local.tm_gmtoff, SECONDS_PER_DAY)};
}

/* Both keep to the ends of what 64 bits hold. */
spk_duration spk_time_between(spk_time earlier, spk_time later)
{
	int64_t ns;

	if (__builtin_sub_overflow(later.ns, earlier.ns, &ns))
		ns = later.ns < 0 ? INT64_MIN : INT64_MAX;
	return (spk_duration){ns};
}

spk_time spk_time_add(spk_time instant, spk_duration duration)
{
	int64_t ns;

	if (__builtin_add_overflow(instant.ns, duration.ns, &ns))
		ns = duration.ns < 0 ? INT64_MIN : INT64_MAX;
	return (spk_time){ns};
}

static void break_down(spk_time instant, struct tm *utc, int64_t *micro)
{
	int64_t seconds = floor_div(instant.ns, NS_PER_SECOND);
	time_t whole = (time_t)seconds;

	/* Not what is left of a product: that of the first second there is leaves 64 bits. */
	*micro = (instant.ns % NS_PER_SECOND + NS_PER_SECOND) % NS_PER_SECOND / 1000;
	gmtime_r(&whole, utc);
}

const char *spk_time_text(struct spk *spk, spk_time instant)
{
	char fraction[24] = "";
	struct tm utc;
	int64_t micro;

	break_down(instant, &utc, &micro);
	if (micro)
		snprintf(fraction, sizeof(fraction), ".%06" PRId64, micro);
	return spk_format(spk, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", utc.tm_year + 1900,
			  utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
			  fraction);
}

/*
 * The format with %s, which the C library would reckon in the local zone, replaced by the
 * number, and a byte at the end, which tells an empty result from one that did not fit.
 */
static const char *prepare_format(struct spk *spk, const char *format, spk_time instant)
{
	char *prepared = spk_alloc(spk, strlen(format) * 11 + 2), *end = prepared;

	while (*format) {
		if (format[0] == '%' && format[1] == 's') {
			end += snprintf(end, 22, "%" PRId64, floor_div(instant.ns, NS_PER_SECOND));
			format += 2;
			continue;
		}
		if (format[0] == '%' && format[1])
			*end++ = *format++;
		*end++ = *format++;
	}
	*end = '.';
	return prepared;
}

const char *spk_time_format(struct spk *spk, const char *format, spk_time instant)
{
	const char *prepared;
	size_t size, length;
	struct tm utc;
	int64_t micro;
	char *text;

	CHECK_GIVEN(format);
	prepared = prepare_format(spk, format, instant);
	break_down(instant, &utc, &micro);
	utc.tm_zone = "UTC";
	for (size = 4 * strlen(prepared) + 64; size < ((size_t)1 << 22); size *= 4) {
		text = spk_alloc(spk, size);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		length = strftime(text, size, prepared, &utc);
#pragma GCC diagnostic pop
		if (length) {
			text[length - 1] = '\0';
			return text;
		}
	}
	session_misuse(__func__, "the text of '%s' is too long", format);
}

const char *spk_date_text(struct spk *spk, spk_date date)
{
	/* eras of 400 years, years from March on: leap days come last */
	int64_t days = date.days > INT64_MAX - 719468 ? INT64_MAX : date.days + 719468;
	int64_t era = floor_div(days, 146097);
	int64_t of_era = days - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	int64_t day = of_year - (153 * month + 2) / 5 + 1;

	month = month < 10 ? month + 3 : month - 9;
	year += era * 400 + (month <= 2);
	return spk_format(spk, "%04" PRId64 "-%02" PRId64 "-%02" PRId64, year, month, day);
}

const char *spk_duration_text(struct spk *spk, spk_duration duration)
{
	char text[DURATION_TEXT_SIZE];

	duration_text(duration, text);
	return copy_text(spk, text);
}

double spk_duration_seconds(spk_duration duration)
{
	return (double)duration.ns / (double)NS_PER_SECOND;
}

spk_time spk_time_parse(struct spk *spk, const char *text)
{
	struct err err = {{0}};
	spk_time instant = {0};

	CHECK_GIVEN(text);
	if (time_read(text, &instant, &err) < 0)
		spk_raise(spk, "text", NULL, "cannot read the time '%s': %s", text, err.text);
	return instant;
}

spk_date spk_date_parse(struct spk *spk, const char *text)
{
	struct err err = {{0}};
	spk_date date = {0};

	CHECK_GIVEN(text);
	if (date_read(text, &date, &err) < 0)
		spk_raise(spk, "text", NULL, "cannot read the date '%s': %s", text, err.text);
	return date;
}

spk_duration spk_duration_parse(struct spk *spk, const char *text)
{
	spk_duration duration = {0};
	struct err err = {{0}};

	CHECK_GIVEN(text);
	if (duration_read(text, &duration, &err) < 0)
		spk_raise(spk, "text", NULL, "cannot read the duration '%s': %s", text, err.text);
	return duration;
}
