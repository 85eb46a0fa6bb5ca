/* SPDX-License-Identifier: Apache-2.0 */
/* An object with other fields: what is not changed stays as it is written. */
#include "conf.h"

#include <string.h>

#include "../runtime/jsontext.h"

struct json_slice conf_current(const struct spk_confctl *confctl, struct json_slice object,
			       const char *name)
{
	struct json_slice value = jsonscan_member(object, name);
	const struct conf_field *field = conf_field_find(confctl, name);

	if ((!value.text || jsonscan_type(value) == 'n') && field)
		return conf_slice(field->initial);
	return value;
}

static const struct conf_setting *find(const struct conf_setting *settings, size_t count,
				       struct json_slice name)
{
	for (size_t i = 0; i < count; i++)
		if (jsonscan_is(name, settings[i].name))
			return &settings[i];
	return NULL;
}

static bool has_all(const struct spk_confctl *confctl, struct json_slice object,
		    const struct conf_setting *settings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct json_slice current = conf_current(confctl, object, settings[i].name);

		if (!current.text || !jsonscan_equal(current, conf_slice(settings[i].json)))
			return false;
	}
	return true;
}

/* What stands in the place of a member's value: the value set, the default for null, or itself. */
static void put_value(const struct spk_confctl *confctl, const struct jsonscan_walk *walk,
		      const struct conf_setting *settings, size_t count, struct buf *out)
{
	const struct conf_setting *setting = find(settings, count, walk->name);

	if (setting) {
		buf_puts(out, setting->json);
		return;
	}
	for (size_t i = 0; jsonscan_type(walk->value) == 'n' && i < confctl->field_count; i++) {
		if (jsonscan_is(walk->name, confctl->fields[i].name)) {
			buf_puts(out, confctl->fields[i].initial);
			return;
		}
	}
	buf_add(out, walk->value.text, walk->value.length);
}

static void put_member(struct buf *out, bool *first, const char *name, const char *json)
{
	buf_puts(out, *first ? "" : ", ");
	json_put_text(out, name);
	buf_printf(out, ": %s", json);
	*first = false;
}

bool conf_merge(const struct spk_confctl *confctl, struct json_slice object,
		const struct conf_setting *settings, size_t count, struct buf *out)
{
	const char *end = object.text + object.length, *at = object.text;
	struct jsonscan_walk walk;
	bool first = true;

	if (has_all(confctl, object, settings, count))
		return false;
	jsonscan_walk_start(&walk, object);
	while (jsonscan_walk_next(&walk)) {
		buf_add(out, at, (size_t)(walk.value.text - at));
		put_value(confctl, &walk, settings, count, out);
		at = walk.value.text + walk.value.length;
		first = false;
	}
	if (first)
		buf_putc(out, '{');
	for (size_t i = 0; i < count; i++)
		if (!jsonscan_member(object, settings[i].name).text)
			put_member(out, &first, settings[i].name, settings[i].json);
	for (size_t i = 0; i < confctl->field_count; i++) {
		const struct conf_field *field = &confctl->fields[i];
		bool set = false;

		for (size_t j = 0; j < count; j++)
			set = set || strcmp(settings[j].name, field->name) == 0;
		if (!set && !jsonscan_member(object, field->name).text)
			put_member(out, &first, field->name, field->initial);
	}
	/* With what stood behind the last member, its bracket included. */
	if (at == object.text)
		buf_putc(out, '}');
	else
		buf_add(out, at, (size_t)(end - at));
	return true;
}
