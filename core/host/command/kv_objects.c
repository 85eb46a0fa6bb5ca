/* SPDX-License-Identifier: Apache-2.0 */
#include "kv_objects.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/jsonscan.h"
#include "../../runtime/jsontext.h"
#include "../../runtime/kvstore.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"

static struct kv_object *add(struct kv_objects *objects)
{
	objects->items = xgrow(objects->items, objects->count, &objects->capacity,
			       sizeof(*objects->items));
	objects->items[objects->count] = (struct kv_object){0};
	return &objects->items[objects->count++];
}

bool kv_objects_add(void *data, const struct spk_kv_item *item)
{
	struct kv_object *object = add(data);

	object->key = xstrdup(item->key);
	object->value = xstrndup(item->value, item->length);
	object->length = item->length;
	object->revision = item->revision;
	return true;
}

void kv_objects_free(struct kv_objects *objects)
{
	for (size_t i = 0; i < objects->count; i++) {
		free(objects->items[i].key);
		free(objects->items[i].value);
	}
	free(objects->items);
	*objects = (struct kv_objects){0};
}

static int compare(const void *a, const void *b)
{
	const struct kv_object *one = a, *other = b;

	return strcmp(one->key, other->key);
}

const struct kv_object *kv_objects_find(const struct kv_objects *objects, const char *key)
{
	struct kv_object wanted = {.key = (char *)(uintptr_t)key};

	if (!objects->count)
		return NULL;
	return bsearch(&wanted, objects->items, objects->count, sizeof(wanted), compare);
}

bool kv_value_ok(const char *value, size_t length)
{
	struct json_slice slice;

	return length <= KV_VALUE_MAX && jsonscan_value(value, length, &slice) &&
	       jsonscan_type(slice) == '{';
}

bool kv_object_write(const struct kv_object *object, struct buf *out)
{
	struct json_slice slice;

	if (!kv_value_ok(object->value, object->length) ||
	    !jsonscan_value(object->value, object->length, &slice))
		return false;
	buf_putc(out, '{');
	json_put_member(out, "key", object->key);
	buf_puts(out, ", \"value\": ");
	/* As it is, unless that would break the line. */
	if (printable_is(slice.text, slice.length))
		buf_add(out, slice.text, slice.length);
	else
		jsonscan_canonical(slice, out);
	buf_puts(out, "}\n");
	return true;
}

static int refuse(const char *file, size_t line, struct err *err, const char *what)
{
	char shown[PRINTABLE_PATH_SIZE];

	return err_set(err, "%s:%zu: %s", printable_path(file, shown), line, what);
}

/* One line, which is not empty. */
static int read_line(const char *file, size_t line, const char *text, size_t length,
		     struct kv_objects *ret, struct err *err)
{
	struct json_slice object, key, value;
	struct buf name = {0};
	struct kv_object *added;
	struct err reason;
	int rc = -1;

	if (!jsonscan_value(text, length, &object) || jsonscan_type(object) != '{')
		return refuse(file, line, err, "not a line of an export: no JSON object");
	key = jsonscan_member(object, "key");
	value = jsonscan_member(object, "value");
	if (!key.text || jsonscan_type(key) != '"' || !jsonscan_text(key, &name))
		refuse(file, line, err, "'key' must be a text");
	else if (kv_key_check(buf_text(&name), &reason) < 0)
		refuse(file, line, err, reason.text);
	else if (!value.text || !kv_value_ok(value.text, value.length))
		refuse(file, line, err, "'value' must be a JSON object of at most 1 MiB");
	else
		rc = 0;
	if (rc == 0) {
		added = add(ret);
		added->key = xstrdup(buf_text(&name));
		added->value = xstrndup(value.text, value.length);
		added->length = value.length;
		added->line = line;
	}
	buf_free(&name);
	return rc;
}

int kv_objects_read(const char *file, const char *text, size_t length, struct kv_objects *ret,
		    struct err *err)
{
	const char *end = text + length, *next;
	int rc = 0;

	*ret = (struct kv_objects){0};
	for (size_t line = 1; text < end && rc == 0; line++, text = next) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		next = stop ? stop + 1 : end;
		stop = stop ? stop : end;
		if (stop > text)
			rc = read_line(file, line, text, (size_t)(stop - text), ret, err);
	}
	if (rc == 0 && ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare);
	for (size_t i = 1; i < ret->count && rc == 0; i++)
		if (strcmp(ret->items[i - 1].key, ret->items[i].key) == 0)
			rc = refuse(file, ret->items[i].line, err, "this key is there twice");
	if (rc < 0)
		kv_objects_free(ret);
	return rc;
}

char *kv_objects_above(const struct kv_objects *objects)
{
	const char *first = objects->count ? objects->items[0].key : "/";
	const char *last = objects->count ? objects->items[objects->count - 1].key : "/";
	size_t length = 0;

	/* They are in order: what the first and the last have in common, all have. */
	for (size_t i = 0; first[i] && first[i] == last[i]; i++)
		if (first[i] == '/')
			length = i;
	return length ? xstrndup(first, length) : xstrdup("/");
}
