/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spk_shell_format(): a printf that quotes texts. The format is walked twice, to
 * measure and to print; each conversion is given to the C library alone, with a
 * width and precision already known and one argument of the right type.
 */
#include <spicerack/text.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <spicerack/error.h>
#include <spicerack/session.h>

#include "misuse.h"
#include "shell.h"

#define FLAGS "-+ #0'I"
#define LIMIT 65536 /* of a width, and of the precision of a number */

/* The line being made: `text` is NULL while it is only measured. */
struct line {
	struct spk *spk;
	const char *format; /* all of it, for messages */
	int error;          /* errno at the call, for %m */
	char *text;
	size_t length;
	size_t size;
};

/* One conversion, as it stood in the format. */
struct conversion {
	char flags[8];
	char modifier[3];
	char type;
	int width;     /* 0: none */
	int precision; /* -1: none */
};

static SPK_NORETURN void refuse(const struct line *line, const char *why)
{
	session_misuse("spk_shell_format", "%s in '%s'", why, line->format);
}

static char *room(struct line *line, size_t more)
{
	char *place = line->text ? line->text + line->length : NULL;

	line->length += more;
	if (place && line->length >= line->size)
		refuse(line, "an argument changed while it was printed");
	return place;
}

static void put(struct line *line, const char *bytes, size_t length)
{
	char *place = room(line, length);

	if (place && length)
		memcpy(place, bytes, length);
}

static void fill(struct line *line, size_t count)
{
	char *place = room(line, count);

	if (place && count)
		memset(place, ' ', count);
}

static void put_quoted(struct line *line, const struct conversion *c, const char *text)
{
	size_t length, quoted, width = (size_t)c->width;
	char *place;

	if (!text)
		refuse(line, "NULL for %s");
	length = c->precision < 0 ? strlen(text) : strnlen(text, (size_t)c->precision);
	quoted = shell_quote(text, length, NULL);
	if (width > quoted && !strchr(c->flags, '-'))
		fill(line, width - quoted);
	place = room(line, quoted);
	if (place)
		shell_quote(text, length, place);
	if (width > quoted && strchr(c->flags, '-'))
		fill(line, width - quoted);
}

/* The conversion as a format of its own, for the C library. */
static void respell(const struct conversion *c, char *out, size_t size)
{
	int used = snprintf(out, size, "%%%s", c->flags);

	if (c->width)
		used += snprintf(out + used, size - (size_t)used, "%d", c->width);
	if (c->precision >= 0)
		used += snprintf(out + used, size - (size_t)used, ".%d", c->precision);
	snprintf(out + used, size - (size_t)used, "%s%c", c->modifier, c->type);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

/* Prints one value of any type: `spell` has exactly one conversion, for it. */
#define PUT_VALUE(line, spell, value)                                                              \
	do {                                                                                       \
		__auto_type value_ = (value);                                                      \
		int length_ = snprintf(NULL, 0, (spell), value_);                                  \
		char *place_;                                                                      \
		if (length_ < 0)                                                                   \
			refuse((line), "a conversion that cannot be printed");                     \
		place_ = room((line), (size_t)length_);                                            \
		if (place_)                                                                        \
			snprintf(place_, (size_t)length_ + 1, (spell), value_);                    \
	} while (0)

/* A structure, so that what va_arg() consumes is seen by the caller on every machine. */
struct arguments {
	va_list list;
};

static void put_integer(struct line *line, const struct conversion *c, const char *spell,
			struct arguments *args)
{
	if (spk_streq(c->modifier, "ll") || strchr("qL", c->modifier[0] ? c->modifier[0] : '?'))
		PUT_VALUE(line, spell, va_arg(args->list, long long));
	else if (c->modifier[0] == 'l')
		PUT_VALUE(line, spell, va_arg(args->list, long));
	else if (c->modifier[0] == 'j')
		PUT_VALUE(line, spell, va_arg(args->list, intmax_t));
	else if (c->modifier[0] == 'z')
		PUT_VALUE(line, spell, va_arg(args->list, size_t));
	else if (c->modifier[0] == 't')
		PUT_VALUE(line, spell, va_arg(args->list, ptrdiff_t));
	else
		PUT_VALUE(line, spell, va_arg(args->list, int));
}

static void put_conversion(struct line *line, const struct conversion *c, struct arguments *args)
{
	char spell[48];

	respell(c, spell, sizeof(spell));
	if (c->precision > LIMIT && !strchr("sm", c->type))
		refuse(line, "too high a precision");
	if (c->modifier[0] && strchr("csmpCS", c->type))
		refuse(line, "a conversion of wide characters, or no conversion at all,");
	switch (c->type) {
	case 'd':
	case 'i':
	case 'o':
	case 'u':
	case 'x':
	case 'X':
		put_integer(line, c, spell, args);
		break;
	case 'e':
	case 'E':
	case 'f':
	case 'F':
	case 'g':
	case 'G':
	case 'a':
	case 'A':
		if (c->modifier[0] == 'L')
			PUT_VALUE(line, spell, va_arg(args->list, long double));
		else
			PUT_VALUE(line, spell, va_arg(args->list, double));
		break;
	case 'c':
		PUT_VALUE(line, spell, va_arg(args->list, int));
		break;
	case 'p':
		PUT_VALUE(line, spell, va_arg(args->list, void *));
		break;
	case 's':
		put_quoted(line, c, va_arg(args->list, const char *));
		break;
	case 'm':
		put_quoted(line, c, strerrordesc_np(line->error));
		break;
	case 'n':
		refuse(line, "%n");
	case 'C':
	case 'S':
		refuse(line, "a conversion of wide characters");
	default:
		refuse(line, "an unknown conversion");
	}
}

#pragma GCC diagnostic pop

/* A width or a precision: digits, or `*` for an argument. */
static int read_number(struct line *line, const char **next, struct arguments *args)
{
	long value = 0;

	if (**next == '*') {
		(*next)++;
		if (isdigit((unsigned char)**next))
			refuse(line, "a positional argument");
		return va_arg(args->list, int);
	}
	for (; isdigit((unsigned char)**next); (*next)++) {
		value = value * 10 + (**next - '0');
		if (value > INT_MAX)
			refuse(line, "too large a number");
	}
	return (int)value;
}

/* Reads what follows a percent sign; returns what comes behind. */
static const char *read_conversion(struct line *line, const char *next, struct conversion *c,
				   struct arguments *args)
{
	size_t length;

	*c = (struct conversion){.precision = -1};
	length = strspn(next, FLAGS);
	if (length >= sizeof(c->flags) - 1)
		refuse(line, "too many flags");
	memcpy(c->flags, next, length);
	next += length;
	c->width = read_number(line, &next, args);
	if (c->width > LIMIT || c->width < -LIMIT)
		refuse(line, "too large a width");
	if (c->width < 0) {
		c->flags[length] = '-';
		c->width = -c->width;
	}
	if (*next == '$')
		refuse(line, "a positional argument");
	if (*next == '.') {
		next++;
		c->precision = *next == '-' ? -1 : read_number(line, &next, args);
		if (c->precision < 0)
			c->precision = -1;
	}
	length = strspn(next, "hlqLjzt");
	if (length >= sizeof(c->modifier))
		refuse(line, "an unknown conversion");
	memcpy(c->modifier, next, length);
	next += length;
	c->type = *next;
	return *next ? next + 1 : next;
}

static void walk(struct line *line, struct arguments *args)
{
	const char *next = line->format;
	struct conversion c;

	while (*next) {
		size_t plain = strcspn(next, "%");

		put(line, next, plain);
		next += plain;
		if (next[0] == '%' && next[1] == '%') {
			put(line, next, 1);
			next += 2;
		} else if (next[0] == '%') {
			next = read_conversion(line, next + 1, &c, args);
			put_conversion(line, &c, args);
		}
	}
}

const char *shell_vformat(struct spk *spk, const char *format, va_list list)
{
	struct line line = {.spk = spk, .format = format, .error = errno};
	struct arguments args;

	va_copy(args.list, list);
	walk(&line, &args);
	va_end(args.list);
	line.size = line.length + 1;
	line.text = spk_alloc(spk, line.size);
	line.length = 0;
	va_copy(args.list, list);
	walk(&line, &args);
	va_end(args.list);
	return line.text;
}

const char *spk_shell_format(struct spk *spk, const char *format, ...)
{
	const char *line;
	va_list list;

	CHECK_GIVEN(format);
	va_start(list, format);
	line = shell_vformat(spk, format, list);
	va_end(list);
	return line;
}
