/* SPDX-License-Identifier: Apache-2.0 */
#include "argvalue.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

static const struct {
	const char *word;
	size_t size;
} types[] = {
	[SPK_TYPE_STRING] = {"str", sizeof(const char *)},
	[SPK_TYPE_FLAG] = {"bool", sizeof(bool)},
	[SPK_TYPE_INT] = {"int", sizeof(int)},
	[SPK_TYPE_LONG] = {"int", sizeof(long)},
	[SPK_TYPE_LLONG] = {"int", sizeof(long long)},
	[SPK_TYPE_DOUBLE] = {"float", sizeof(double)},
	[SPK_TYPE_PATH] = {"Path", sizeof(spk_path)},
	[SPK_TYPE_DATE] = {"date", sizeof(spk_date)},
	[SPK_TYPE_TIME] = {"datetime", sizeof(spk_time)},
	[SPK_TYPE_DURATION] = {"duration", sizeof(spk_duration)},
	[SPK_TYPE_STRINGS] = {"str", sizeof(spk_strings)},
	[SPK_TYPE_INTS] = {"int", sizeof(spk_ints)},
	[SPK_TYPE_DOUBLES] = {"float", sizeof(spk_doubles)},
	[SPK_TYPE_CUSTOM] = {"value", 0},
};

#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

const char *argvalue_type_word(enum spk_type type)
{
	return (size_t)type < TYPE_COUNT && types[type].word ? types[type].word : "value";
}

size_t argvalue_size(enum spk_type type)
{
	return (size_t)type < TYPE_COUNT ? types[type].size : 0;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
}

/* Copies digits with single underscores between them; returns how many, 0 when there are none. */
static size_t take_digits(const char **text, char *out, size_t room)
{
	const char *p = *text;
	size_t used = 0;

	while (digit(*p) || (*p == '_' && used && digit(p[1]))) {
		if (*p != '_' && used < room)
			out[used] = *p;
		used += *p != '_';
		p++;
	}
	*text = p;
	return used;
}

static int read_integer(const char *text, long long first, long long last, long long *ret,
			struct err *err)
{
	const char *p = text;
	unsigned long long value = 0, limit;
	bool negative = false;
	bool any = false;

	while (blank(*p))
		p++;
	if (*p == '-' || *p == '+')
		negative = *p++ == '-';
	limit = negative ? -(unsigned long long)first : (unsigned long long)last;
	for (; digit(*p) || (*p == '_' && any && digit(p[1])); p++) {
		if (*p == '_')
			continue;
		any = true;
		if (__builtin_mul_overflow(value, 10ULL, &value) ||
		    __builtin_add_overflow(value, (unsigned long long)(*p - '0'), &value) ||
		    value > limit)
			return err_set(err, "number out of range: '%s'", text);
	}
	while (blank(*p))
		p++;
	if (!any || *p)
		return err_set(err, "not a whole number: '%s'", text);
	*ret = negative ? (long long)(0 - value) : (long long)value;
	return 0;
}

static locale_t c_locale;

static void make_c_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* strtod() that does not follow the locale of whoever loaded this library. */
static double plain_strtod(const char *text)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_c_locale);
	return c_locale ? strtod_l(text, NULL, c_locale) : strtod(text, NULL);
}

static int read_real(const char *text, double *ret, struct err *err)
{
	size_t length = strlen(text), used = 0, whole, fraction = 0;
	char *plain = xcalloc(length + 2, 1);
	const char *p = text;
	int rc = -1;

	while (blank(*p))
		p++;
	if (*p == '-' || *p == '+')
		plain[used++] = *p++;
	whole = take_digits(&p, plain + used, length - used);
	used += whole;
	if (*p == '.') {
		plain[used++] = *p++;
		fraction = take_digits(&p, plain + used, length - used);
		used += fraction;
	}
	if (whole + fraction == 0)
		goto bad;
	if (*p == 'e' || *p == 'E') {
		plain[used++] = *p++;
		if (*p == '-' || *p == '+')
			plain[used++] = *p++;
		if (!take_digits(&p, plain + used, length - used))
			goto bad;
	}
	while (blank(*p))
		p++;
	if (*p)
		goto bad;
	*ret = plain_strtod(plain);
	rc = isfinite(*ret) ? 0 : err_set(err, "number out of range: '%s'", text);
	goto out;
bad:
	err_set(err, "not a number: '%s'", text);
out:
	free(plain);
	return rc;
}

int argvalue_read(enum spk_type type, const char *text, union argvalue *ret, struct err *err)
{
	switch (type) {
	case SPK_TYPE_INT:
		return read_integer(text, INT_MIN, INT_MAX, &ret->integer, err);
	case SPK_TYPE_LONG:
		return read_integer(text, LONG_MIN, LONG_MAX, &ret->integer, err);
	case SPK_TYPE_LLONG:
	case SPK_TYPE_INTS:
		return read_integer(text, LLONG_MIN, LLONG_MAX, &ret->integer, err);
	case SPK_TYPE_DOUBLE:
	case SPK_TYPE_DOUBLES:
		return read_real(text, &ret->real, err);
	case SPK_TYPE_DATE:
		return date_read(text, &ret->date, err);
	case SPK_TYPE_TIME:
		return time_read(text, &ret->time, err);
	case SPK_TYPE_DURATION:
		return duration_read(text, &ret->duration, err);
	case SPK_TYPE_STRING:
	case SPK_TYPE_PATH:
	case SPK_TYPE_STRINGS:
	case SPK_TYPE_CUSTOM:
		return 0;
	case SPK_TYPE_FLAG:
		break;
	}
	return err_set(err, "an argument of this type takes no value: '%s'", text);
}

void real_text(double value, char ret[REAL_TEXT_SIZE])
{
	char digits[REAL_TEXT_SIZE], plain[24];
	int precision = 0, exponent, count;
	size_t used = 0;
	char *e;

	if (!isfinite(value)) {
		snprintf(ret, REAL_TEXT_SIZE, "%s",
			 isnan(value) ? "nan"
			 : value > 0  ? "inf"
				      : "-inf");
		return;
	}
	do {
		snprintf(digits, sizeof(digits), "%.*e", precision, value);
		e = strchr(digits, 'e');
	} while ((e == NULL || strtod(digits, NULL) < value || strtod(digits, NULL) > value) &&
		 ++precision < 17);
	exponent = e ? (int)strtol(e + 1, NULL, 10) : 0;
	for (const char *p = digits; *p && *p != 'e'; p++) {
		if (digit(*p))
			plain[used++] = *p;
	}
	plain[used] = '\0';
	count = (int)used;
	while (count > 1 && plain[count - 1] == '0')
		plain[--count] = '\0';
	if (exponent < -4 || exponent >= 16)
		snprintf(ret, REAL_TEXT_SIZE, "%s%c%s%se%c%02d", signbit(value) ? "-" : "",
			 plain[0], count > 1 ? "." : "", plain + 1, exponent < 0 ? '-' : '+',
			 abs(exponent));
	else if (exponent < 0)
		snprintf(ret, REAL_TEXT_SIZE, "%s0.%.*s%s", signbit(value) ? "-" : "",
			 -exponent - 1, "000", plain);
	else if (count <= exponent + 1)
		snprintf(ret, REAL_TEXT_SIZE, "%s%s%.*s.0", signbit(value) ? "-" : "", plain,
			 exponent + 1 - count, "0000000000000000");
	else
		snprintf(ret, REAL_TEXT_SIZE, "%s%.*s.%s", signbit(value) ? "-" : "", exponent + 1,
			 plain, plain + exponent + 1);
}

/* What argvalue_store() works on. */
struct store {
	const struct spk_arg *row;
	void *field;
	void *(*alloc)(void *data, size_t size);
	void *data;
	struct err *err;
};

static char *keep(const struct store *store, const char *text, size_t length)
{
	char *copy = store->alloc(store->data, length + 1);

	memcpy(copy, text, length);
	for (size_t i = 0; i < length; i++) {
		if (store->row->as == SPK_UPPER && copy[i] >= 'a' && copy[i] <= 'z')
			copy[i] = (char)(copy[i] - 'a' + 'A');
		else if (store->row->as == SPK_LOWER && copy[i] >= 'A' && copy[i] <= 'Z')
			copy[i] = (char)(copy[i] - 'A' + 'a');
	}
	return copy;
}

/* The home directory of `user`, or of whoever runs this when it is empty; NULL when unknown. */
static char *home_of(const char *user)
{
	const char *home = *user ? NULL : getenv("HOME");
	struct passwd entry, *found = NULL;
	size_t size = 1024;
	char *buffer = NULL, *result;
	int rc;

	if (home && *home)
		return xstrdup(home);
	do {
		size *= 2;
		buffer = xreallocarray(buffer, size, 1);
		rc = *user ? getpwnam_r(user, &entry, buffer, size, &found)
			   : getpwuid_r(getuid(), &entry, buffer, size, &found);
	} while (rc == ERANGE && size < (1 << 20));
	result = rc == 0 && found && found->pw_dir ? xstrdup(found->pw_dir) : NULL;
	free(buffer);
	return result;
}

/* `~` and `~user` at the start; a user that does not exist leaves the text as it is. */
static const char *expand_path(const struct store *store, const char *text)
{
	const char *rest = strchrnul(text, '/');
	char *user, *home, *path;
	size_t length;

	if (text[0] != '~')
		return keep(store, text, strlen(text));
	user = xstrndup(text + 1, (size_t)(rest - text - 1));
	home = home_of(user);
	free(user);
	if (!home)
		return keep(store, text, strlen(text));
	length = strlen(home);
	while (length && home[length - 1] == '/')
		length--;
	path = store->alloc(store->data, length + strlen(rest) + 2);
	memcpy(path, home, length);
	memcpy(path + length, rest, strlen(rest) + 1);
	if (!*path)
		path[0] = '/';
	free(home);
	return path;
}

/* How many elements the texts hold once comma lists are split. */
static size_t count_elements(const struct spk_arg *row, spk_strings texts)
{
	size_t count = texts.count;

	for (size_t i = 0; row->as == SPK_COMMA_LIST && i < texts.count; i++) {
		for (const char *p = texts.items[i]; *p; p++)
			count += *p == ',';
	}
	return count;
}

static int store_list(const struct store *store, spk_strings texts)
{
	const bool commas = store->row->as == SPK_COMMA_LIST;
	const size_t count = count_elements(store->row, texts);
	const char **strings = NULL;
	long long *integers = NULL;
	double *reals = NULL;
	size_t at = 0;

	if (count && store->row->type == SPK_TYPE_STRINGS)
		strings = store->alloc(store->data, count * sizeof(*strings));
	else if (count && store->row->type == SPK_TYPE_INTS)
		integers = store->alloc(store->data, count * sizeof(*integers));
	else if (count)
		reals = store->alloc(store->data, count * sizeof(*reals));
	for (size_t i = 0; i < texts.count; i++) {
		const char *p = texts.items[i];

		for (bool more = true; more; at++) {
			const size_t length = commas ? strcspn(p, ",") : strlen(p);
			const char *element = keep(store, p, length);
			union argvalue value = {0};

			if (argvalue_read(store->row->type, element, &value, store->err) < 0)
				return -1;
			if (strings)
				strings[at] = element;
			else if (integers)
				integers[at] = value.integer;
			else if (reals)
				reals[at] = value.real;
			more = p[length] != '\0';
			p += length + more;
		}
	}
	if (store->row->type == SPK_TYPE_STRINGS)
		*(spk_strings *)store->field = (spk_strings){strings, count};
	else if (store->row->type == SPK_TYPE_INTS)
		*(spk_ints *)store->field = (spk_ints){integers, count};
	else
		*(spk_doubles *)store->field = (spk_doubles){reals, count};
	return 0;
}

static int store_integer(const struct store *store, long long value)
{
	if (store->row->type == SPK_TYPE_INT && (value < INT_MIN || value > INT_MAX))
		return err_set(store->err, "number out of range: %lld", value);
	if (store->row->type == SPK_TYPE_INT)
		*(int *)store->field = (int)value;
	else if (store->row->type == SPK_TYPE_LONG)
		*(long *)store->field = (long)value;
	else
		*(long long *)store->field = value;
	return 0;
}

static int store_text(const struct store *store, const char *text)
{
	union argvalue value = {0};

	if (argvalue_read(store->row->type, text, &value, store->err) < 0)
		return -1;
	switch ((enum spk_type)store->row->type) {
	case SPK_TYPE_STRING:
		*(const char **)store->field = keep(store, text, strlen(text));
		return 0;
	case SPK_TYPE_PATH:
		((spk_path *)store->field)->text = expand_path(store, text);
		return 0;
	case SPK_TYPE_DOUBLE:
		*(double *)store->field = value.real;
		return 0;
	case SPK_TYPE_DATE:
		*(spk_date *)store->field = value.date;
		return 0;
	case SPK_TYPE_TIME:
		*(spk_time *)store->field = value.time;
		return 0;
	case SPK_TYPE_DURATION:
		*(spk_duration *)store->field = value.duration;
		return 0;
	default:
		return store_integer(store, value.integer);
	}
}

static int store_default(const struct store *store)
{
	const struct spk_arg *row = store->row;

	memset(store->field, 0, argvalue_size(row->type));
	if (row->type == SPK_TYPE_FLAG)
		*(bool *)store->field = row->off;
	if (!row->has_default)
		return 0;
	switch ((enum spk_type)row->type) {
	case SPK_TYPE_INT:
	case SPK_TYPE_LONG:
	case SPK_TYPE_LLONG:
		return store_integer(store, row->default_int);
	case SPK_TYPE_DOUBLE:
		*(double *)store->field = row->default_double;
		return 0;
	case SPK_TYPE_DURATION:
		*(spk_duration *)store->field = row->default_duration;
		return 0;
	case SPK_TYPE_STRING:
	case SPK_TYPE_PATH:
	case SPK_TYPE_DATE:
	case SPK_TYPE_TIME:
		return row->default_text ? store_text(store, row->default_text) : 0;
	case SPK_TYPE_STRINGS:
	case SPK_TYPE_INTS:
	case SPK_TYPE_DOUBLES:
		return store_list(store, row->default_list);
	case SPK_TYPE_FLAG:
	case SPK_TYPE_CUSTOM:
		break;
	}
	return 0;
}

int argvalue_store(const struct spk_arg *row, bool given, spk_strings texts, void *field,
		   void *(*alloc)(void *data, size_t size), void *data, struct err *err)
{
	const struct store store = {
		.row = row, .field = field, .alloc = alloc, .data = data, .err = err};

	switch ((enum spk_type)row->type) {
	case SPK_TYPE_FLAG:
		*(bool *)field = given ? !row->off : row->off;
		return 0;
	case SPK_TYPE_STRINGS:
	case SPK_TYPE_INTS:
	case SPK_TYPE_DOUBLES:
		if (texts.count || (given && row->arity != SPK_ZERO_OR_ONE))
			return store_list(&store, texts);
		return store_default(&store);
	case SPK_TYPE_CUSTOM:
		return err_set(err, "argument %s is read by its cookbook", row->name);
	default:
		/* given without a text: `?`, which reads its default */
		return texts.count ? store_text(&store, texts.items[texts.count - 1])
				   : store_default(&store);
	}
}
