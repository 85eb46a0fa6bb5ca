/* SPDX-License-Identifier: Apache-2.0 */
/* The types of fields: a value that is not of its field's is never sent. */
#include "conf.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/copy.h"
#include "../runtime/jsontext.h"

static const struct {
	enum conf_type type;
	const char *wanted;
} wanted[] = {
	[CONF_INT] = {CONF_INT, "a whole number"},
	[CONF_STRING] = {CONF_STRING, "a text"},
	[CONF_BOOL] = {CONF_BOOL, "true or false"},
	[CONF_ENUM] = {CONF_ENUM, "one of"},
	[CONF_LIST] = {CONF_LIST, "a list, by SPK_CONF_JSON()"},
	[CONF_DICT] = {CONF_DICT, "an object, by SPK_CONF_JSON()"},
	[CONF_CIDR_LIST] = {CONF_CIDR_LIST, "a list of networks, by SPK_CONF_JSON()"},
	[CONF_ANY] = {CONF_ANY, "a value"},
};

struct json_slice conf_slice(const char *json)
{
	struct json_slice slice = {0};

	if (!jsonscan_value(json, strlen(json), &slice))
		slice = (struct json_slice){0};
	return slice;
}

/* "10.0.0.0/8", also with bits behind the network, or a single address. */
static bool is_network(struct json_slice value)
{
	struct buf text = {0};
	unsigned char address[16];
	char *slash, *end = NULL;
	bool good = false;
	long bits = 0;

	if (jsonscan_type(value) == '"' && jsonscan_text(value, &text) && text.length) {
		slash = strchr(text.text, '/');
		if (slash) {
			*slash = '\0';
			bits = slash[1] >= '0' && slash[1] <= '9' ? strtol(slash + 1, &end, 10)
								  : -1;
			bits = end && !*end ? bits : -1;
		}
		good = bits >= 0 && ((inet_pton(AF_INET, text.text, address) == 1 && bits <= 32) ||
				     (inet_pton(AF_INET6, text.text, address) == 1 && bits <= 128));
	}
	buf_free(&text);
	return good;
}

static bool are_networks(struct json_slice list)
{
	struct jsonscan_walk walk;

	jsonscan_walk_start(&walk, list);
	while (jsonscan_walk_next(&walk))
		if (!is_network(walk.value))
			return false;
	return true;
}

static bool is_choice(const struct conf_field *field, struct json_slice value)
{
	for (size_t i = 0; i < field->choices.count; i++)
		if (jsonscan_is(value, field->choices.items[i]))
			return true;
	return false;
}

bool conf_value_fits(const struct conf_field *field, struct json_slice value)
{
	char type = jsonscan_type(value);
	long long number;

	switch (field ? field->type : CONF_ANY) {
	case CONF_INT:
		return jsonscan_integer(value, &number);
	case CONF_STRING:
		return type == '"';
	case CONF_BOOL:
		return type == 't' || type == 'f';
	case CONF_ENUM:
		return type == '"' && is_choice(field, value);
	case CONF_LIST:
		return type == '[';
	case CONF_DICT:
		return type == '{';
	case CONF_CIDR_LIST:
		return type == '[' && are_networks(value);
	case CONF_ANY:
	default:
		return true;
	}
}

/* The value as JSON, whatever its field wants; NULL when it is none. The caller frees `out`. */
static const char *put_value(const struct conf_field *field, const spk_conf_value *value,
			     struct buf *out)
{
	switch (value->type) {
	case SPK_CONF_TYPE_TEXT:
		if (!value->text)
			return NULL;
		json_put_text(out, value->text);
		break;
	case SPK_CONF_TYPE_INTEGER:
		if (field && field->type == CONF_BOOL && (value->number == 0 || value->number == 1))
			buf_puts(out, value->number ? "true" : "false");
		else
			buf_printf(out, "%lld", value->number);
		break;
	case SPK_CONF_TYPE_FLAG:
		buf_puts(out, value->number ? "true" : "false");
		break;
	case SPK_CONF_TYPE_JSON:
		if (!value->text)
			return NULL;
		buf_puts(out, value->text);
		break;
	default:
		return NULL;
	}
	return buf_text(out);
}

static void refuse(const struct spk_confctl *confctl, const struct conf_field *field,
		   const char *name, const char *json)
{
	struct spk *spk = confctl->spk;
	bool choices = field && field->type == CONF_ENUM;

	spk_raise(spk, "confctl.value", NULL,
		  "the field '%s' of the entity '%s' takes %s%s%s, not %.200s", name, confctl->name,
		  field ? wanted[field->type].wanted : "JSON", choices ? " " : "",
		  choices ? spk_join(spk, ", ", field->choices) : "", json);
}

const char *conf_value_json(const struct spk_confctl *confctl, const char *name,
			    const spk_conf_value *value)
{
	const struct conf_field *field = conf_field_get(confctl, name);
	struct json_slice slice = {0};
	struct buf out = {0};
	const char *json = put_value(field, value, &out);

	json = copy_text(confctl->spk, json ? json : "nothing");
	buf_free(&out);
	slice = conf_slice(json);
	if (!slice.text || !conf_value_fits(field, slice))
		refuse(confctl, field, name, json);
	return copy_bytes(confctl->spk, slice.text, slice.length);
}
