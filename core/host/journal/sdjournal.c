/* SPDX-License-Identifier: Apache-2.0 */
#include "sdjournal.h"

#include <ctype.h>
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../../runtime/fd.h"

#define SOCKET_PATH "/run/systemd/journal/socket"
#define PREFIX "SPICERACK_"

/* A value with newlines in it is preceded by its length. */
static void put_field(const char *prefix, const char *name, const char *value, struct buf *out)
{
	size_t length = strlen(value);
	uint64_t size = htole64(length);

	buf_puts(out, prefix);
	for (; *name; name++)
		buf_putc(out, (char)toupper((unsigned char)*name));
	if (memchr(value, '\n', length)) {
		buf_putc(out, '\n');
		buf_add(out, &size, sizeof(size));
	} else {
		buf_putc(out, '=');
	}
	buf_add(out, value, length);
	buf_putc(out, '\n');
}

static void put_number(const struct event_field *field, struct buf *out)
{
	struct buf text = {0};

	if (field->type == EVENT_IS_FLAG)
		buf_puts(&text, field->value.flag ? "true" : "false");
	else if (field->type == EVENT_IS_SECONDS)
		buf_printf(&text, "%.6f", (double)field->value.number / 1e9);
	else
		buf_printf(&text, "%" PRId64, field->value.number);
	put_field(PREFIX, field->name, buf_text(&text), out);
	buf_free(&text);
}

static void put_message(const struct event *event, struct buf *out)
{
	const struct event_field *result = event_find(event, "result");
	struct buf text = {0};

	buf_printf(&text, "run %s of cookbook %s: %s", event->run, event->cookbook, event->name);
	if (result && result->type == EVENT_IS_TEXT && result->value.text)
		buf_printf(&text, ", %s", result->value.text);
	put_field("", "MESSAGE", buf_text(&text), out);
	buf_free(&text);
}

void sdjournal_put(const struct event *event, struct buf *out)
{
	put_message(event, out);
	put_field("", "PRIORITY", "6", out);
	put_field("", "SYSLOG_IDENTIFIER", "cookbook", out);
	put_field(PREFIX, "run", event->run, out);
	put_field(PREFIX, "event", event->name, out);
	if (!event_find(event, "cookbook"))
		put_field(PREFIX, "cookbook", event->cookbook, out);
	for (size_t i = 0; i < event->count; i++) {
		const struct event_field *field = &event->fields[i];

		if (field->type == EVENT_IS_TEXT && field->value.text)
			put_field(PREFIX, field->name, field->value.text, out);
		for (size_t j = 0; field->type == EVENT_IS_TEXTS && j < field->value.texts.count;
		     j++)
			put_field(PREFIX, field->name, field->value.texts.items[j], out);
		if (field->type != EVENT_IS_TEXT && field->type != EVENT_IS_TEXTS)
			put_number(field, out);
	}
}

static void take(void *data, const struct event *event)
{
	struct sdjournal *sdjournal = data;
	struct buf entry = {0};

	if (sdjournal->fd < 0 || strcmp(event->name, "log") == 0 ||
	    strcmp(event->name, "output") == 0)
		return;
	sdjournal_put(event, &entry);
	/* It does not wait for a journal that is busy, nor tells of one that is gone. */
	if (send(sdjournal->fd, entry.text, entry.length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		fd_close(&sdjournal->fd);
	buf_free(&entry);
}

void sdjournal_begin(struct sdjournal *sdjournal)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET_PATH};

	*sdjournal = (struct sdjournal){.sink = {.take = take, .data = sdjournal}, .fd = -1};
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	if (!getenv("JOURNAL_STREAM") && !getenv("INVOCATION_ID"))
		return;
	sdjournal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sdjournal->fd >= 0 &&
	    connect(sdjournal->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fd_close(&sdjournal->fd);
}

void sdjournal_end(struct sdjournal *sdjournal)
{
	fd_close(&sdjournal->fd);
}
