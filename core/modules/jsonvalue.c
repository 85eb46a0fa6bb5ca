/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonvalue.h"

#include <errno.h>
#include <string.h>

#include <spicerack/error.h>

#include "../runtime/copy.h"
#include "../runtime/jsonread.h"
#include "../runtime/misuse.h"
#include "../runtime/printable.h"

#define TEXT_LIMIT ((size_t)16 << 20)
/* Fewer members are compared one by one. */
#define INDEX_FROM 12

const struct json_document *json_document_of(const struct spk_json *value)
{
	while (value->parent)
		value = value->parent;
	return (const struct json_document *)value;
}

struct spk_json *json_document_new(struct spk *spk, enum spk_json_type type, const char *from)
{
	struct json_document *document = SPK_NEW(spk, struct json_document);

	document->spk = spk;
	document->from = from;
	document->value.type = type;
	document->value.magic = JSON_MAGIC;
	return &document->value;
}

struct spk_json *json_value_new(struct spk_json *parent, enum spk_json_type type, const char *name)
{
	struct spk_json *value = SPK_NEW(json_document_of(parent)->spk, struct spk_json);

	value->type = type;
	value->name = name;
	value->parent = parent;
	value->magic = JSON_MAGIC;
	return value;
}

static void index_members(struct spk *spk, struct spk_json *object)
{
	struct strtable *index = SPK_NEW(spk, struct strtable);

	strtable_init(index);
	for (size_t i = 0; i < object->count; i++)
		strtable_put(spk, index, object->items[i]->name, object->items[i]);
	object->index = index;
}

void json_value_append(struct spk_json *parent, struct spk_json *value)
{
	struct spk *spk = json_document_of(parent)->spk;

	if (parent->count == parent->capacity) {
		uint32_t capacity = parent->capacity ? 2 * parent->capacity : 4;
		struct spk_json **items = spk_alloc(spk, capacity * sizeof(*items));

		if (parent->count)
			memcpy(items, parent->items, parent->count * sizeof(*items));
		parent->items = items;
		parent->capacity = capacity;
	}
	parent->items[parent->count++] = value;
	if (parent->index)
		strtable_put(spk, parent->index, value->name, value);
	else if (parent->type == SPK_JSON_OBJECT && parent->count == INDEX_FROM)
		index_members(spk, parent);
}

struct spk_json *json_value_member(const struct spk_json *object, const char *name)
{
	const struct strtable_entry *entry;

	if (object->index) {
		entry = strtable_find(object->index, name);
		return entry ? (struct spk_json *)(uintptr_t)entry->value : NULL;
	}
	for (size_t i = 0; i < object->count; i++)
		if (strcmp(object->items[i]->name, name) == 0)
			return object->items[i];
	return NULL;
}

/* Where it is among the items of its parent. */
static size_t place_of(const struct spk_json *parent, const struct spk_json *value)
{
	size_t place = 0;

	while (parent->items[place] != value)
		place++;
	return place;
}

void json_value_put(struct spk_json *object, struct spk_json *value)
{
	struct spk_json *old = json_value_member(object, value->name);

	if (!old) {
		json_value_append(object, value);
		return;
	}
	object->items[place_of(object, old)] = value;
	if (object->index)
		strtable_find(object->index, value->name)->value = value;
}

void json_value_remove(struct spk_json *object, struct spk_json *member)
{
	size_t place = place_of(object, member);

	if (object->index)
		strtable_remove(object->index, member->name);
	memmove(&object->items[place], &object->items[place + 1],
		(object->count - place - 1) * sizeof(*object->items));
	object->count--;
}

const char *json_type_text(uint32_t type)
{
	static const char *const texts[] = {
		[SPK_JSON_ABSENT] = "nothing",   [SPK_JSON_NULL] = "null",
		[SPK_JSON_BOOL] = "a boolean",   [SPK_JSON_NUMBER] = "a number",
		[SPK_JSON_TEXT] = "a text",      [SPK_JSON_ARRAY] = "an array",
		[SPK_JSON_OBJECT] = "an object",
	};

	return type < sizeof(texts) / sizeof(texts[0]) ? texts[type] : "damaged";
}

/* ---- reading ---- */

struct making {
	struct spk *spk;
	const char *from;
	struct spk_json *document;
	struct spk_json *level; /* the innermost that is open; NULL: none */
	const char *name;       /* of the member that comes next */
};

static struct spk_json *make(struct making *making, enum spk_json_type type)
{
	struct spk_json *value;

	if (!making->level) {
		making->document = json_document_new(making->spk, type, making->from);
		return making->document;
	}
	value = json_value_new(making->level, type, making->name);
	json_value_append(making->level, value);
	making->name = NULL;
	return value;
}

static void make_level(void *data, bool object)
{
	struct making *making = data;

	making->level = make(making, object ? SPK_JSON_OBJECT : SPK_JSON_ARRAY);
}

static void close_level(void *data)
{
	struct making *making = data;

	making->level = making->level->parent;
}

static bool take_name(void *data, const char *name, struct err *err)
{
	char shown[PRINTABLE_PATH_SIZE];
	struct making *making = data;

	making->name = name;
	if (!json_value_member(making->level, name))
		return true;
	err_set(err, "the member '%s' is there twice", printable_path(name, shown));
	return false;
}

static void make_scalar(void *data, enum json_scalar type, const char *text)
{
	static const enum spk_json_type types[] = {
		[JSON_TEXT] = SPK_JSON_TEXT, [JSON_NUMBER] = SPK_JSON_NUMBER,
		[JSON_TRUE] = SPK_JSON_BOOL, [JSON_FALSE] = SPK_JSON_BOOL,
		[JSON_NULL] = SPK_JSON_NULL,
	};
	struct spk_json *value = make(data, types[type]);

	value->flag = type == JSON_TRUE;
	if (type == JSON_TEXT || type == JSON_NUMBER)
		value->text = text;
}

struct spk_json *spk_json_parse(struct spk *spk, const char *from, const char *text, size_t length)
{
	static const struct json_sink sink = {
		.open = make_level, .close = close_level, .name = take_name, .scalar = make_scalar};
	struct making making = {.spk = spk};
	struct err err;

	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(from);
	CHECK_GIVEN(text);
	if (length > TEXT_LIMIT)
		spk_raise(spk, "json.size", NULL, "%s: more than 16 MiB of JSON", from);
	making.from = copy_text(spk, from);
	if (json_read(text, length, spk_alloc(spk, length + 1), &sink, &making, &err) < 0)
		spk_raise(spk, errno == E2BIG ? "json.size" : "json.syntax", NULL,
			  "%s: not such JSON as can be read: %s", from, err.text);
	return making.document;
}
