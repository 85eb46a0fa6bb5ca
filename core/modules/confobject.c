/* SPDX-License-Identifier: Apache-2.0 */
/* What is in an object that was read. */
#include "conf.h"

#include <string.h>

#include "../runtime/copy.h"
#include "../runtime/misuse.h"

#define SHOWN 120

const char *spk_confctl_name(const struct spk_confctl_object *object)
{
	CHECK_HANDLE(object, OBJECT_MAGIC);
	return object->name;
}

const char *spk_confctl_path(const struct spk_confctl_object *object)
{
	CHECK_HANDLE(object, OBJECT_MAGIC);
	return object->path;
}

const char *spk_confctl_tag(const struct spk_confctl_object *object, const char *tag)
{
	CHECK_HANDLE(object, OBJECT_MAGIC);
	CHECK_GIVEN(tag);
	for (size_t i = 0; i < object->confctl->tags.count; i++)
		if (strcmp(object->confctl->tags.items[i], tag) == 0)
			return object->parts.items[i];
	if (strcmp(tag, "name") == 0)
		return object->name;
	spk_raise(object->confctl->spk, "confctl.selector", NULL, "the entity '%s' has no tag '%s'",
		  object->confctl->name, tag);
}

const char *spk_confctl_object_json(const struct spk_confctl_object *object)
{
	CHECK_HANDLE(object, OBJECT_MAGIC);
	return object->value;
}

/* What is in a field. Raises where there is neither a value nor a default. */
static struct json_slice get(const struct spk_confctl_object *object, const char *name)
{
	const struct spk_confctl *confctl = object->confctl;
	struct json_slice value;

	(void)conf_field_get(confctl, name);
	value = conf_current(confctl, conf_slice(object->value), name);
	if (!value.text)
		spk_raise(confctl->spk, "confctl.value", NULL, "%s: there is no field '%s'",
			  object->path, name);
	return value;
}

/* Whether a field of the schema can be asked for so. */
static void expect(const struct spk_confctl_object *object, const char *name, bool good,
		   const char *wanted)
{
	if (!good)
		spk_raise(object->confctl->spk, "confctl.value", NULL,
			  "the field '%s' of the entity '%s' is not %s", name,
			  object->confctl->name, wanted);
}

static SPK_NORETURN void refuse(const struct spk_confctl_object *object, const char *name,
				struct json_slice value, const char *wanted)
{
	int length = value.length > SHOWN ? SHOWN : (int)value.length;

	spk_raise(object->confctl->spk, "confctl.data", NULL, "%s: its '%s' is not %s: %.*s",
		  object->key, name, wanted, length, value.text);
}

static enum conf_type type_of(const struct spk_confctl_object *object, const char *name)
{
	const struct conf_field *field = conf_field_get(object->confctl, name);

	return field ? field->type : CONF_ANY;
}

/* The text of a string in memory of the run; NULL for what is none. */
static const char *text_of(struct spk *spk, struct json_slice value)
{
	struct buf text = {0};
	char *copy;

	if (jsonscan_type(value) != '"' || !jsonscan_text(value, &text)) {
		buf_free(&text);
		return NULL;
	}
	copy = spk_alloc(spk, text.length + 1);
	if (text.length)
		memcpy(copy, text.text, text.length);
	buf_free(&text);
	return copy;
}

const char *spk_confctl_text(const struct spk_confctl_object *object, const char *field)
{
	struct json_slice value;
	enum conf_type type;
	const char *text;

	CHECK_HANDLE(object, OBJECT_MAGIC);
	CHECK_GIVEN(field);
	type = type_of(object, field);
	expect(object, field, type == CONF_STRING || type == CONF_ENUM || type == CONF_ANY,
	       "a text");
	value = get(object, field);
	text = text_of(object->confctl->spk, value);
	if (!text && type == CONF_STRING && jsonscan_type(value) == '0')
		return copy_bytes(object->confctl->spk, value.text, value.length);
	if (!text)
		refuse(object, field, value, "a text");
	if (type == CONF_ENUM && !conf_value_fits(conf_field_find(object->confctl, field), value))
		refuse(object, field, value, "one of those that it can have");
	return text;
}

long long spk_confctl_int(const struct spk_confctl_object *object, const char *field)
{
	struct json_slice value, digits;
	enum conf_type type;
	const char *text;
	long long number = 0;

	CHECK_HANDLE(object, OBJECT_MAGIC);
	CHECK_GIVEN(field);
	type = type_of(object, field);
	expect(object, field, type == CONF_INT || type == CONF_ANY, "a whole number");
	value = get(object, field);
	if (jsonscan_integer(value, &number))
		return number;
	text = type == CONF_INT ? text_of(object->confctl->spk, value) : NULL;
	digits = text ? conf_slice(text) : (struct json_slice){0};
	if (!digits.text || !jsonscan_integer(digits, &number))
		refuse(object, field, value, "a whole number in the range of 64 bits");
	return number;
}

bool spk_confctl_bool(const struct spk_confctl_object *object, const char *field)
{
	struct json_slice value;
	enum conf_type type;

	CHECK_HANDLE(object, OBJECT_MAGIC);
	CHECK_GIVEN(field);
	type = type_of(object, field);
	expect(object, field, type == CONF_BOOL || type == CONF_ANY, "true or false");
	value = get(object, field);
	if (jsonscan_type(value) != 't' && jsonscan_type(value) != 'f')
		refuse(object, field, value, "true or false");
	return jsonscan_type(value) == 't';
}

const char *spk_confctl_json(const struct spk_confctl_object *object, const char *field)
{
	struct json_slice value;

	CHECK_HANDLE(object, OBJECT_MAGIC);
	CHECK_GIVEN(field);
	value = get(object, field);
	return copy_bytes(object->confctl->spk, value.text, value.length);
}

spk_confctl_objects spk_confctl_filter(struct spk_confctl *confctl, spk_conf_fields fields,
				       spk_conf_tags tags)
{
	const struct spk_confctl_object **kept;
	spk_confctl_objects objects;
	const char **values;
	size_t count = 0;

	CHECK_HANDLE(confctl, CONFCTL_MAGIC);
	values = spk_alloc(confctl->spk, (fields.count + 1) * sizeof(char *));
	for (size_t i = 0; i < fields.count; i++) {
		CHECK_GIVEN(fields.items[i].name);
		values[i] = conf_value_json(confctl, fields.items[i].name, &fields.items[i].value);
	}
	objects = conf_select_some(confctl, tags, __func__);
	kept = spk_alloc(confctl->spk, objects.count * sizeof(*kept));
	for (size_t i = 0; i < objects.count; i++) {
		struct json_slice object = conf_slice(objects.items[i]->value);
		bool all = true;

		for (size_t j = 0; j < fields.count && all; j++) {
			struct json_slice current = conf_current(confctl, object,
								 fields.items[j].name);

			all = current.text && jsonscan_equal(current, conf_slice(values[j]));
		}
		if (all)
			kept[count++] = objects.items[i];
	}
	return (spk_confctl_objects){kept, count};
}
