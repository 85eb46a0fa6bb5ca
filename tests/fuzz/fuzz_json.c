/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of anybody, and paths into them: what stands before the first NUL is a path, the rest
 * the document. What is taken is what cJSON takes it for, is written as it was, and has a path to
 * each of its values; what is not is refused in one line.
 */
#include <cjson/cJSON.h>
#include <unistd.h>

#include "../../core/modules/jsonvalue.h"
#include "../../core/runtime/guard.h"
#include "shown.h"

#include <spicerack/text.h>

/* cJSON takes no longer number, and has no deeper levels than this. */
#define NUMBER_MAX 60
/* The names of a path are not longer. */
#define NAME_MAX_LENGTH 255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const char *path, *text;
	size_t length;
	const struct spk_json *json;
};

static void parse(struct spk *spk, void *argument)
{
	struct input *input = argument;

	input->json = spk_json_parse(spk, "t", input->text, input->length);
}

static void look(struct spk *spk, void *argument)
{
	const struct input *input = argument;

	spk_json_type(input->json, input->path);
	spk_json_find(input->json, input->path);
	EXPECT(spk_json_get(input->json, input->path) != NULL);
	spk_json_get_int(input->json, input->path);
}

static bool is_long_number(const struct spk_json *json)
{
	bool found = json->type == SPK_JSON_NUMBER && strlen(json->text) > NUMBER_MAX;

	for (size_t i = 0; i < json->count && !found; i++)
		found = is_long_number(json->items[i]);
	return found;
}

/* Both are the same; members are in one order. */
static void expect_same(const struct spk_json *json, const cJSON *other)
{
	const cJSON *item = other->child;

	switch ((enum spk_json_type)json->type) {
	case SPK_JSON_NULL:
		EXPECT(cJSON_IsNull(other));
		break;
	case SPK_JSON_BOOL:
		EXPECT(json->flag ? cJSON_IsTrue(other) : cJSON_IsFalse(other));
		break;
	case SPK_JSON_NUMBER:
		EXPECT(cJSON_IsNumber(other));
		EXPECT(!(strtod(json->text, NULL) < other->valuedouble) &&
		       !(strtod(json->text, NULL) > other->valuedouble));
		break;
	case SPK_JSON_TEXT:
		EXPECT(cJSON_IsString(other) && strcmp(json->text, other->valuestring) == 0);
		break;
	default:
		EXPECT(json->type == SPK_JSON_ARRAY ? cJSON_IsArray(other) : cJSON_IsObject(other));
	}
	for (size_t i = 0; i < json->count; i++, item = item->next) {
		EXPECT(item != NULL);
		if (json->type == SPK_JSON_OBJECT)
			EXPECT(strcmp(json->items[i]->name, item->string) == 0);
		expect_same(json->items[i], item);
	}
	EXPECT(item == NULL);
}

static void expect_paths(const struct spk_json *json, const struct spk_json *root)
{
	for (size_t i = 0; i < json->count; i++) {
		if (json->items[i]->name && strlen(json->items[i]->name) > NAME_MAX_LENGTH)
			continue;
		EXPECT(spk_json_get(root, spk_json_path(json->items[i])) == json->items[i]);
		if (i < 8)
			expect_paths(json->items[i], root);
	}
}

static void compare(struct spk *spk, void *argument)
{
	struct input *input = argument;
	const struct spk_json *json = input->json;
	const char *written = spk_json_encode(json), *pretty = spk_json_pretty(json);
	cJSON *other;

	if (!is_long_number(json)) {
		other = cJSON_ParseWithLength(input->text, input->length);
		EXPECT(other != NULL);
		expect_same(json, other);
		cJSON_Delete(other);
	}
	EXPECT(spk_json_equal(json, spk_json_parse(spk, "t", written, strlen(written))));
	EXPECT(spk_json_equal(json, spk_json_parse(spk, "t", pretty, strlen(pretty))));
	EXPECT(spk_json_equal(json, spk_json_copy(spk, json)));
	EXPECT(spk_streq(written, spk_json_encode(spk_json_copy(spk, json))));
	expect_paths(json, json);
}

static struct spk *session(void)
{
	static struct spk spk = {.magic = SESSION_MAGIC, .interrupt_fd = -1};
	static size_t empty;
	struct err err;

	if (!spk.shared) {
		EXPECT(arena_create(&spk.shared, &err) == 0);
		empty = spk.shared->used;
		spk.process = getpid();
		session_set_current(&spk);
	}
	/* Whoever takes memory of the run is given it zeroed. */
	memset((char *)spk.shared + empty, 0, spk.shared->used - empty);
	spk.shared->used = empty;
	return &spk;
}

static void expect_kind(const struct spk_error *error, const char *kind)
{
	EXPECT(spk_error_is(error, kind));
	EXPECT(!strchr(spk_error_message(error), '\n'));
	expect_shown(spk_error_message(error), strlen(spk_error_message(error)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *middle = size ? memchr(data, '\0', size) : NULL;
	struct spk *spk = session();
	const struct spk_error *error;
	struct input input = {0};

	if (!middle)
		return 0;
	input.path = (const char *)data;
	input.text = (const char *)middle + 1;
	input.length = size - (size_t)(middle - data) - 1;
	error = guard_call(spk, parse, &input, false);
	if (error) {
		expect_kind(error, "json");
		return 0;
	}
	error = guard_call(spk, compare, &input, false);
	EXPECT(error == NULL);
	error = guard_call(spk, look, &input, false);
	if (error && !spk_error_is(error, "misuse"))
		expect_kind(error, "json");
	return 0;
}
