/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of a journal that anybody may have written: it is an object or it is none, whoever asks,
 * and nothing beyond it is read. Any text comes back as it was written.
 */
#include "../../core/host/journal/event.h"
#include "../../core/host/journal/jsonline.h"
#include "../../core/runtime/printable.h"
#include "shown.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note(void *data, const char *name, bool in_list, enum json_scalar type,
		 const char *value)
{
	EXPECT(name && value && type <= JSON_NULL && (!in_list || type == JSON_TEXT));
	buf_puts(data, value);
}

static void read_line(const uint8_t *data, size_t size)
{
	struct buf values = {0};
	bool good = json_line_read((const char *)data, size, note, &values);

	EXPECT(json_line_read((const char *)data, size, NULL, NULL) == good);
	EXPECT(values.length <= size);
	buf_free(&values);
}

static bool is_utf8(const char *text)
{
	size_t left = strlen(text), used;
	uint32_t point;

	for (; left > 0; text += used, left -= used) {
		used = printable_decode(text, left, &point);
		if (used == 0)
			return false;
	}
	return true;
}

static void same_text(void *data, const char *name, bool in_list, enum json_scalar type,
		      const char *value)
{
	const char *text = data;

	if (strcmp(name, "text") != 0)
		return;
	EXPECT(type == JSON_TEXT && !in_list);
	EXPECT(!is_utf8(text) || strcmp(text, value) == 0);
	EXPECT(is_utf8(value));
}

static void write_text(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	const struct event_field field = EVENT_TEXT("text", text);
	struct event event = {.name = "e", .run = "r", .fields = &field, .count = 1};
	struct buf line = {0};

	EXPECT(text);
	event_put_json(&event, &line);
	EXPECT(line.length > 0 && line.text[line.length - 1] == '\n');
	EXPECT(!memchr(line.text, '\n', line.length - 1));
	EXPECT(printable_is(line.text, line.length - 1));
	EXPECT(json_line_read(line.text, line.length - 1, same_text, text));
	buf_free(&line);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_line(data, size);
	write_text(data, size);
	return 0;
}
