/* SPDX-License-Identifier: Apache-2.0 */
/* JSON for cookbooks: what is asked of a value. */
#include <spicerack/json.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/error.h>

#include "../runtime/argvalue.h"
#include "../runtime/copy.h"
#include "../runtime/misuse.h"
#include "jsonpath.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53: up to it a double has every whole number */

#define CHECK_ASKED()                                                                              \
	do {                                                                                       \
		CHECK_HANDLE(value, JSON_MAGIC);                                                   \
		CHECK_GIVEN(path);                                                                 \
	} while (0)

static struct spk *session_of(const struct spk_json *value)
{
	return json_document_of(value)->spk;
}

/* ---- of any type ---- */

enum spk_json_type spk_json_type(const struct spk_json *value, const char *path)
{
	struct json_found found;

	CHECK_ASKED();
	found = json_path_follow(__func__, value, path);
	return found.value ? (enum spk_json_type)found.value->type : SPK_JSON_ABSENT;
}

/* What a get finds, or raises. */
static struct spk_json *get(const char *function, const struct spk_json *value, const char *path)
{
	struct json_found found = json_path_follow(function, value, path);

	if (!found.value)
		json_path_raise(value, path, &found);
	return found.value;
}

/* What a find finds: NULL for what is missing and for null. */
static struct spk_json *find(const char *function, const struct spk_json *value, const char *path)
{
	struct json_found found = json_path_follow(function, value, path);

	if (found.astray)
		json_path_raise(value, path, &found);
	return found.value && found.value->type != SPK_JSON_NULL ? found.value : NULL;
}

const struct spk_json *spk_json_get(const struct spk_json *value, const char *path)
{
	CHECK_ASKED();
	return get(__func__, value, path);
}

const struct spk_json *spk_json_find(const struct spk_json *value, const char *path)
{
	CHECK_ASKED();
	return find(__func__, value, path);
}

struct spk_json *spk_json_edit(struct spk_json *value, const char *path)
{
	CHECK_ASKED();
	return get(__func__, value, path);
}

/* NULL passes, as what a find has not found. */
static const struct spk_json *expect(const struct spk_json *value, enum spk_json_type type)
{
	if (value && value->type == SPK_JSON_NULL)
		json_raise(value, "json.null", "is null, not %s", json_type_text(type));
	if (value && value->type != type)
		json_raise(value, "json.type", "is %s, not %s", json_type_text(value->type),
			   json_type_text(type));
	return value;
}

/* ---- texts and booleans ---- */

const char *spk_json_get_text(const struct spk_json *value, const char *path)
{
	CHECK_ASKED();
	return expect(get(__func__, value, path), SPK_JSON_TEXT)->text;
}

const char *spk_json_find_text(const struct spk_json *value, const char *path,
			       const char *otherwise)
{
	const struct spk_json *found;

	CHECK_ASKED();
	found = expect(find(__func__, value, path), SPK_JSON_TEXT);
	return found ? found->text : otherwise;
}

bool spk_json_get_bool(const struct spk_json *value, const char *path)
{
	CHECK_ASKED();
	return expect(get(__func__, value, path), SPK_JSON_BOOL)->flag;
}

bool spk_json_find_bool(const struct spk_json *value, const char *path, bool otherwise)
{
	const struct spk_json *found;

	CHECK_ASKED();
	found = expect(find(__func__, value, path), SPK_JSON_BOOL);
	return found ? found->flag : otherwise;
}

spk_strings spk_json_get_texts(const struct spk_json *value, const char *path)
{
	const struct spk_json *array;
	const char **items = NULL;

	CHECK_ASKED();
	array = expect(get(__func__, value, path), SPK_JSON_ARRAY);
	if (array->count)
		items = spk_alloc(session_of(value), array->count * sizeof(*items));
	for (size_t i = 0; i < array->count; i++)
		items[i] = expect(array->items[i], SPK_JSON_TEXT)->text;
	return (spk_strings){items, array->count};
}

/* ---- numbers ---- */

/* Written without fraction and exponent. */
static bool is_literal(const char *number)
{
	return !strpbrk(number, ".eE");
}

/* The double nearest to a number; infinite when it is beyond all of them. */
static double real_of(const struct spk_json *number)
{
	union argvalue real;
	struct err err;

	return argvalue_read(SPK_TYPE_DOUBLE, number->text, &real, &err) == 0 ? real.real
									      : HUGE_VAL;
}

static SPK_NORETURN void out_of_range(const struct spk_json *number, const char *wanted)
{
	json_raise(number, "json.range", "is %.60s%s, not %s", number->text,
		   strlen(number->text) > 60 ? "..." : "", wanted);
}

/* Of a number that is written with a fraction or an exponent. */
static long long whole_of(const struct spk_json *number)
{
	double real = real_of(number);

	if (!(fabs(real) <= EXACT_MAX) || real != trunc(real))
		out_of_range(number, "a whole number that is exact");
	return (long long)real;
}

static long long int_of(const struct spk_json *number)
{
	long long whole;

	if (!is_literal(number->text))
		return whole_of(number);
	errno = 0;
	whole = strtoll(number->text, NULL, 10);
	if (errno == ERANGE)
		out_of_range(number, "a whole number of 64 bits with sign");
	return whole;
}

static unsigned long long unsigned_of(const struct spk_json *number)
{
	unsigned long long whole;

	if (!is_literal(number->text)) {
		if (real_of(number) < 0)
			out_of_range(number, "a whole number from 0 on");
		return (unsigned long long)whole_of(number);
	}
	errno = 0;
	whole = strtoull(number->text, NULL, 10);
	if (errno == ERANGE || (number->text[0] == '-' && whole != 0))
		out_of_range(number, "a whole number of 64 bits without sign");
	return whole;
}

static double double_of(const struct spk_json *number)
{
	double real = real_of(number);
	char digits[400];

	if (isinf(real))
		out_of_range(number, "within the range of a double");
	if (!is_literal(number->text) || fabs(real) < EXACT_MAX)
		return real;
	snprintf(digits, sizeof(digits), "%.0f", real);
	if (strcmp(digits, number->text) != 0)
		out_of_range(number, "a whole number that a double can have");
	return real;
}

long long spk_json_get_int(const struct spk_json *value, const char *path)
{
	CHECK_ASKED();
	return int_of(expect(get(__func__, value, path), SPK_JSON_NUMBER));
}

long long spk_json_find_int(const struct spk_json *value, const char *path, long long otherwise)
{
	const struct spk_json *found;

	CHECK_ASKED();
	found = expect(find(__func__, value, path), SPK_JSON_NUMBER);
	return found ? int_of(found) : otherwise;
}

unsigned long long spk_json_get_unsigned(const struct spk_json *value, const char *path)
{
	CHECK_ASKED();
	return unsigned_of(expect(get(__func__, value, path), SPK_JSON_NUMBER));
}

double spk_json_get_double(const struct spk_json *value, const char *path)
{
	CHECK_ASKED();
	return double_of(expect(get(__func__, value, path), SPK_JSON_NUMBER));
}

double spk_json_find_double(const struct spk_json *value, const char *path, double otherwise)
{
	const struct spk_json *found;

	CHECK_ASKED();
	found = expect(find(__func__, value, path), SPK_JSON_NUMBER);
	return found ? double_of(found) : otherwise;
}

const char *spk_json_get_number(const struct spk_json *value, const char *path)
{
	CHECK_ASKED();
	return expect(get(__func__, value, path), SPK_JSON_NUMBER)->text;
}

/* ---- items and members ---- */

static bool has_items(const struct spk_json *value)
{
	return value->type == SPK_JSON_ARRAY || value->type == SPK_JSON_OBJECT;
}

static const struct spk_json *expect_items(const struct spk_json *value)
{
	return has_items(value) ? value : expect(value, SPK_JSON_ARRAY);
}

size_t spk_json_count(const struct spk_json *value, const char *path)
{
	CHECK_ASKED();
	return expect_items(get(__func__, value, path))->count;
}

const struct spk_json *spk_json_item(const struct spk_json *value, size_t number)
{
	CHECK_HANDLE(value, JSON_MAGIC);
	expect_items(value);
	if (number >= value->count)
		json_raise(value, "json.missing", "has %u item%s, there is no number %zu",
			   value->count, value->count == 1 ? "" : "s", number);
	return value->items[number];
}

const char *spk_json_name(const struct spk_json *value)
{
	CHECK_HANDLE(value, JSON_MAGIC);
	return value->name;
}

spk_strings spk_json_names(const struct spk_json *value, const char *path)
{
	const struct spk_json *object;
	const char **items = NULL;

	CHECK_ASKED();
	object = expect(get(__func__, value, path), SPK_JSON_OBJECT);
	if (object->count)
		items = spk_alloc(session_of(value), object->count * sizeof(*items));
	for (size_t i = 0; i < object->count; i++)
		items[i] = object->items[i]->name;
	return (spk_strings){items, object->count};
}

const struct spk_json *spk_json_member(const struct spk_json *value, const char *name)
{
	CHECK_HANDLE(value, JSON_MAGIC);
	CHECK_GIVEN(name);
	return json_value_member(expect(value, SPK_JSON_OBJECT), name);
}

const char *spk_json_path(const struct spk_json *value)
{
	struct buf text = {0};

	CHECK_HANDLE(value, JSON_MAGIC);
	json_path_add(&text, value);
	return copy_buf(session_of(value), &text);
}

static bool equal(const struct spk_json *a, const struct spk_json *b)
{
	if (a->type != b->type || a->count != b->count || a->flag != b->flag)
		return false;
	if (a->text && strcmp(a->text, b->text) != 0)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct spk_json *other = a->type == SPK_JSON_OBJECT
						       ? json_value_member(b, a->items[i]->name)
						       : b->items[i];

		if (!other || !equal(a->items[i], other))
			return false;
	}
	return true;
}

bool spk_json_equal(const struct spk_json *a, const struct spk_json *b)
{
	CHECK_HANDLE(a, JSON_MAGIC);
	CHECK_HANDLE(b, JSON_MAGIC);
	return equal(a, b);
}
