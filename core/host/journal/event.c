/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"

#include <inttypes.h>
#include <string.h>

#include "../../runtime/jsontext.h"

const struct event_field *event_find(const struct event *event, const char *name)
{
	for (size_t i = 0; i < event->count; i++)
		if (strcmp(event->fields[i].name, name) == 0)
			return &event->fields[i];
	return NULL;
}

void event_put_time(const struct timespec *time, struct buf *out)
{
	char text[64];
	struct tm utc;

	if (!gmtime_r(&time->tv_sec, &utc) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
		memcpy(text, "0000-00-00T00:00:00", sizeof("0000-00-00T00:00:00"));
	buf_printf(out, "%s.%06ldZ", text, time->tv_nsec / 1000);
}

static void put_seconds(int64_t ns, struct buf *out)
{
	uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	buf_printf(out, "%s%" PRIu64 ".%06" PRIu64, ns < 0 ? "-" : "", size / 1000000000U,
		   size % 1000000000U / 1000);
}

static void put_texts(spk_strings texts, struct buf *out)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < texts.count; i++) {
		buf_puts(out, i ? ", " : "");
		json_put_text(out, texts.items[i]);
	}
	buf_putc(out, ']');
}

static void put_value(const struct event_field *field, struct buf *out)
{
	switch (field->type) {
	case EVENT_IS_TEXT:
		json_put_text(out, field->value.text);
		break;
	case EVENT_IS_TEXTS:
		put_texts(field->value.texts, out);
		break;
	case EVENT_IS_NUMBER:
		buf_printf(out, "%" PRId64, field->value.number);
		break;
	case EVENT_IS_SECONDS:
		put_seconds(field->value.number, out);
		break;
	case EVENT_IS_FLAG:
		buf_puts(out, field->value.flag ? "true" : "false");
		break;
	}
}

void event_put_json(const struct event *event, struct buf *out)
{
	buf_printf(out, "{\"schema\": %d, \"time\": \"", EVENT_SCHEMA);
	event_put_time(&event->time, out);
	buf_printf(out, "\", \"run\": \"%s\", ", event->run);
	if (event->sequence)
		buf_printf(out, "\"sequence\": %" PRIu64 ", ", event->sequence);
	buf_printf(out, "\"event\": \"%s\"", event->name);
	for (size_t i = 0; i < event->count; i++) {
		buf_printf(out, ", \"%s\": ", event->fields[i].name);
		put_value(&event->fields[i], out);
	}
	buf_puts(out, "}\n");
}
