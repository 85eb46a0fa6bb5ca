/* SPDX-License-Identifier: Apache-2.0 */
/* JSON for cookbooks: making, changing and writing values. */
#include <spicerack/json.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <spicerack/error.h>

#include "../runtime/argvalue.h"
#include "../runtime/copy.h"
#include "../runtime/jsonread.h"
#include "../runtime/jsontext.h"
#include "../runtime/misuse.h"
#include "../runtime/printable.h"
#include "jsonpath.h"

/* Where a value is from that a cookbook made. */
#define OWN "a value of this cookbook"

struct spk_json *spk_json_object(struct spk *spk)
{
	CHECK_SPK(spk);
	return json_document_new(spk, SPK_JSON_OBJECT, OWN);
}

struct spk_json *spk_json_array(struct spk *spk)
{
	CHECK_SPK(spk);
	return json_document_new(spk, SPK_JSON_ARRAY, OWN);
}

/* ---- copies ---- */

static void copy_items(struct spk_json *to, const struct spk_json *from, size_t depth)
{
	if (depth > JSON_DEPTH)
		json_raise(to, "json.size", "is more than %d levels deep", JSON_DEPTH);
	for (size_t i = 0; i < from->count; i++) {
		const struct spk_json *item = from->items[i];
		struct spk_json *copy = json_value_new(to, item->type, item->name);

		copy->flag = item->flag;
		copy->text = item->text;
		copy_items(copy, item, depth + 1);
		json_value_append(to, copy);
	}
}

/* Into an empty value of the same type; names and texts do not change, and are shared. */
static void copy_into(struct spk_json *to, const struct spk_json *from)
{
	size_t depth = 0;

	for (const struct spk_json *each = to; each->parent; each = each->parent)
		depth++;
	to->flag = from->flag;
	to->text = from->text;
	copy_items(to, from, depth);
}

struct spk_json *spk_json_copy(struct spk *spk, const struct spk_json *value)
{
	struct spk_json *copy;

	CHECK_SPK(spk);
	CHECK_HANDLE(value, JSON_MAGIC);
	copy = json_document_new(spk, (enum spk_json_type)value->type,
				 json_document_of(value)->from);
	copy_into(copy, value);
	return copy;
}

/* ---- changes ---- */

static const char *check_text(struct spk_json *parent, const char *text)
{
	size_t length = strlen(text), used;
	char shown[PRINTABLE_PATH_SIZE];
	uint32_t point;

	for (size_t i = 0; i < length; i += used) {
		used = printable_decode(text + i, length - i, &point);
		if (!used)
			json_raise(parent, "json.text", "cannot have '%s': it is not UTF-8",
				   printable_path(text, shown));
	}
	return copy_bytes(json_document_of(parent)->spk, text, length);
}

/* A value of its parent that is not in there yet; `name` NULL: of an array. */
static struct spk_json *make(struct spk_json *parent, const char *name, enum spk_json_type type)
{
	enum spk_json_type needed = name ? SPK_JSON_OBJECT : SPK_JSON_ARRAY;

	if (parent->type != needed)
		json_raise(parent, "json.type", "is %s, not %s", json_type_text(parent->type),
			   json_type_text(needed));
	if (name)
		name = check_text(parent, name);
	return json_value_new(parent, type, name);
}

static void put(struct spk_json *value)
{
	if (value->name)
		json_value_put(value->parent, value);
	else
		json_value_append(value->parent, value);
}

static void put_text(struct spk_json *parent, const char *name, const char *text)
{
	struct spk_json *value = make(parent, name, text ? SPK_JSON_TEXT : SPK_JSON_NULL);

	if (text)
		value->text = check_text(parent, text);
	put(value);
}

static void put_number(struct spk_json *parent, const char *name, const char *number)
{
	struct spk_json *value = make(parent, name, SPK_JSON_NUMBER);

	value->text = copy_text(json_document_of(parent)->spk, number);
	put(value);
}

static void put_int(struct spk_json *parent, const char *name, long long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", number);
	put_number(parent, name, text);
}

static void put_copy(struct spk_json *parent, const char *name, const struct spk_json *given)
{
	struct spk_json *value = make(parent, name,
				      given ? (enum spk_json_type)given->type : SPK_JSON_NULL);

	if (given)
		copy_into(value, given);
	put(value);
}

#define CHECK_SET()                                                                                \
	do {                                                                                       \
		CHECK_HANDLE(object, JSON_MAGIC);                                                  \
		CHECK_GIVEN(name);                                                                 \
	} while (0)

void spk_json_set_text(struct spk_json *object, const char *name, const char *text)
{
	CHECK_SET();
	put_text(object, name, text);
}

void spk_json_set_int(struct spk_json *object, const char *name, long long number)
{
	CHECK_SET();
	put_int(object, name, number);
}

void spk_json_set_double(struct spk_json *object, const char *name, double number)
{
	char text[REAL_TEXT_SIZE];

	CHECK_SET();
	if (!isfinite(number))
		session_misuse(__func__, "the number is not finite");
	real_text(number, text);
	put_number(object, name, text);
}

void spk_json_set_number(struct spk_json *object, const char *name, const char *number)
{
	CHECK_SET();
	CHECK_NOT_EMPTY(number);
	if (json_number_length(number, strlen(number)) != strlen(number))
		session_misuse(__func__, "'%s' is no number of JSON", number);
	put_number(object, name, number);
}

void spk_json_set_bool(struct spk_json *object, const char *name, bool flag)
{
	struct spk_json *value;

	CHECK_SET();
	value = make(object, name, SPK_JSON_BOOL);
	value->flag = flag;
	put(value);
}

void spk_json_set_texts(struct spk_json *object, const char *name, spk_strings texts)
{
	struct spk_json *array;

	CHECK_SET();
	CHECK_LIST(texts);
	array = make(object, name, SPK_JSON_ARRAY);
	for (size_t i = 0; i < texts.count; i++)
		put_text(array, NULL, texts.items[i]);
	put(array);
}

void spk_json_set(struct spk_json *object, const char *name, const struct spk_json *value)
{
	CHECK_SET();
	if (value)
		CHECK_HANDLE(value, JSON_MAGIC);
	put_copy(object, name, value);
}

bool spk_json_remove(struct spk_json *object, const char *name)
{
	struct spk_json *member;

	CHECK_SET();
	if (object->type != SPK_JSON_OBJECT)
		json_raise(object, "json.type", "is %s, not %s", json_type_text(object->type),
			   json_type_text(SPK_JSON_OBJECT));
	member = json_value_member(object, name);
	if (member)
		json_value_remove(object, member);
	return member != NULL;
}

void spk_json_add(struct spk_json *array, const struct spk_json *value)
{
	CHECK_HANDLE(array, JSON_MAGIC);
	if (value)
		CHECK_HANDLE(value, JSON_MAGIC);
	put_copy(array, NULL, value);
}

void spk_json_add_text(struct spk_json *array, const char *text)
{
	CHECK_HANDLE(array, JSON_MAGIC);
	put_text(array, NULL, text);
}

void spk_json_add_int(struct spk_json *array, long long number)
{
	CHECK_HANDLE(array, JSON_MAGIC);
	put_int(array, NULL, number);
}

/* ---- writing ---- */

static void new_line(struct buf *out, bool pretty, size_t depth)
{
	if (pretty) {
		buf_putc(out, '\n');
		buf_fill(out, ' ', 2 * depth);
	}
}

static void encode(struct buf *out, const struct spk_json *value, bool pretty, size_t depth)
{
	static const char brackets[2][2] = {"[]", "{}"};
	const char *pair = brackets[value->type == SPK_JSON_OBJECT];

	if (value->type == SPK_JSON_TEXT) {
		json_put_text(out, value->text);
		return;
	}
	if (value->type != SPK_JSON_ARRAY && value->type != SPK_JSON_OBJECT) {
		buf_puts(out, value->type == SPK_JSON_NUMBER ? value->text
			      : value->type == SPK_JSON_NULL ? "null"
			      : value->flag                  ? "true"
							     : "false");
		return;
	}
	buf_putc(out, pair[0]);
	for (size_t i = 0; i < value->count; i++) {
		if (i)
			buf_putc(out, ',');
		new_line(out, pretty, depth + 1);
		if (value->items[i]->name) {
			json_put_text(out, value->items[i]->name);
			buf_puts(out, pretty ? ": " : ":");
		}
		encode(out, value->items[i], pretty, depth + 1);
	}
	if (value->count)
		new_line(out, pretty, depth);
	buf_putc(out, pair[1]);
}

static const char *encoded(const struct spk_json *value, bool pretty)
{
	struct buf out = {0};

	encode(&out, value, pretty, 0);
	return copy_buf(json_document_of(value)->spk, &out);
}

const char *spk_json_encode(const struct spk_json *value)
{
	CHECK_HANDLE(value, JSON_MAGIC);
	return encoded(value, false);
}

const char *spk_json_pretty(const struct spk_json *value)
{
	CHECK_HANDLE(value, JSON_MAGIC);
	return encoded(value, true);
}
