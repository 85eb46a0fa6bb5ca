/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of a store, as an object with fields set: what comes out is JSON, has the fields, and the
 * rest byte by byte; merging once more changes nothing. Lines of an export, written and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/host/command/kv_objects.h"
#include "../../core/modules/conf.h"
#include "../../core/runtime/kvstore.h"
#include "../../core/runtime/mem.h"

#define EXPECT(true_)                                                                              \
	do {                                                                                       \
		if (!(true_))                                                                      \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct conf_field fields[] = {
	{.name = "weight", .type = CONF_INT, .initial = "0"},
	{.name = "pooled", .type = CONF_STRING, .initial = "\"inactive\""},
};

static const struct spk_confctl confctl = {.name = "node",
					   .path = "/a",
					   .fields = fields,
					   .field_count = sizeof(fields) / sizeof(fields[0])};

static void merge(const char *text, size_t length)
{
	static const struct conf_setting settings[] = {{"pooled", "\"no\""}, {"new", "[1, {}]"}};
	struct json_slice object, merged;
	struct buf out = {0}, again = {0};
	struct jsonscan_walk walk;

	if (!conf_object_value(text, length, &object))
		return;
	EXPECT(conf_merge(&confctl, object, settings, 2, &out) || out.length == 0);
	if (out.length) {
		EXPECT(jsonscan_value(out.text, out.length, &merged) &&
		       jsonscan_type(merged) == '{' && merged.length == out.length);
		EXPECT(!conf_merge(&confctl, merged, settings, 2, &again) && !again.length);
		EXPECT(jsonscan_is(jsonscan_member(merged, "pooled"), "no"));
		jsonscan_walk_start(&walk, object);
		while (jsonscan_walk_next(&walk)) {
			if (jsonscan_is(walk.name, "pooled") || jsonscan_is(walk.name, "new") ||
			    jsonscan_type(walk.value) == 'n')
				continue;
			EXPECT(memmem(out.text, out.length, walk.value.text, walk.value.length));
		}
	}
	EXPECT(jsonscan_equal(object, object));
	jsonscan_canonical(object, &again);
	EXPECT(jsonscan_value(buf_text(&again), again.length, &merged));
	buf_free(&again);
	buf_free(&out);
}

static void read_export(const char *text, size_t length)
{
	struct kv_objects objects, second;
	struct buf written = {0};
	struct err err;

	if (kv_objects_read("FILE", text, length, &objects, &err) < 0) {
		EXPECT(strncmp(err.text, "FILE:", 5) == 0);
		return;
	}
	for (size_t i = 0; i < objects.count; i++) {
		EXPECT(kv_key_check(objects.items[i].key, NULL) == 0);
		EXPECT(kv_object_write(&objects.items[i], &written));
	}
	EXPECT(kv_objects_read("FILE", buf_text(&written), written.length, &second, &err) == 0);
	EXPECT(second.count == objects.count);
	for (size_t i = 0; i < second.count; i++)
		EXPECT(kv_objects_find(&objects, second.items[i].key));
	free(kv_objects_above(&objects));
	kv_objects_free(&objects);
	kv_objects_free(&second);
	buf_free(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Its end is where a read beyond it is found. */
	char *text = xstrndup((const char *)data, size);

	merge((const char *)data, size);
	if (strlen(text) == size)
		read_export(text, size);
	free(text);
	return 0;
}
