/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of hosts, kept in a file: the transport that asks the real ones and writes down what they
 * reply, one object of JSON in a line, and the reader that makes rules of it.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <spicerack/clock.h>
#include <spicerack/remote.h>

#include "../host/journal/jsonline.h"
#include "../modules/remotewrap.h"
#include "../runtime/driver.h"
#include "../runtime/jsontext.h"
#include "../runtime/mem.h"
#include "outside.h"

#define REAL "libssh"
#define VARIABLE "SPICERACK_TEST_RECORD"

/* ---- writing ---- */

struct recorder {
	const struct spk_transport_driver *real;
	void *transport;
	struct spk_transport_calls calls;
};

struct recorded {
	struct recorder *recorder;
	void *handle, *data;
	char *host, *line;
	struct buf input, out, err;
	int64_t began_ns;
};

static void on_started(void *data)
{
	struct recorded *recorded = data;

	recorded->began_ns = spk_uptime().ns;
	recorded->recorder->calls.started(recorded->data);
}

static void on_output(void *data, int stream, const char *bytes, size_t length)
{
	struct recorded *recorded = data;

	buf_add(stream == 2 ? &recorded->err : &recorded->out, bytes, length);
	recorded->recorder->calls.output(recorded->data, stream, bytes, length);
}

static void on_room(void *data)
{
	struct recorded *recorded = data;

	recorded->recorder->calls.room(recorded->data);
}

static void recorded_free(struct recorded *recorded)
{
	buf_free(&recorded->input);
	buf_free(&recorded->out);
	buf_free(&recorded->err);
	free(recorded->host);
	free(recorded->line);
	free(recorded);
}

static void write_down(const struct recorded *recorded, const char *command,
		       const struct spk_transport_end *end)
{
	const char *file = world_here()->record_file;
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	struct buf line = {0};

	buf_puts(&line, "{");
	json_put_member(&line, "host", recorded->host);
	buf_puts(&line, ", ");
	json_put_member(&line, "command", command);
	buf_printf(&line, ", \"end\": %u, \"code\": %d, \"milliseconds\": %lld, ", end->kind,
		   end->exit_code,
		   recorded->began_ns
			   ? (long long)((spk_uptime().ns - recorded->began_ns) / 1000000)
			   : 0);
	json_put_member(&line, "out", buf_text(&recorded->out));
	buf_puts(&line, ", ");
	json_put_member(&line, "err", buf_text(&recorded->err));
	buf_puts(&line, "}\n");
	if (fd < 0 || write(fd, line.text, line.length) != (ssize_t)line.length)
		test_give_up("cannot write '%s': %s", file, strerrordesc_np(errno));
	close(fd);
	buf_free(&line);
}

static void on_ended(void *data, const struct spk_transport_end *end)
{
	struct recorded *recorded = data;
	struct recorder *recorder = recorded->recorder;
	void *theirs = recorded->data;
	struct wrap_heard heard = {0};

	wrap_hear(recorded->line, buf_text(&recorded->input), recorded->input.length, &heard);
	if (heard.command)
		write_down(recorded, heard.command, end);
	world_happened_on(world_here(), recorded->host, heard.command, "host %s: %s -> recorded",
			  recorded->host, heard.command ? heard.command : "?");
	wrap_heard_free(&heard);
	recorded_free(recorded);
	recorder->calls.ended(theirs, end);
}

static const struct spk_transport_calls our_calls = {
	.size = sizeof(our_calls),
	.started = on_started,
	.output = on_output,
	.room = on_room,
	.ended = on_ended,
};

static void *open_recorder(const struct spk_driver_setting *settings, size_t count,
			   const struct spk_transport_calls *calls,
			   struct spk_reason_buffer *reason)
{
	struct recorder *recorder = xcalloc(1, sizeof(*recorder));
	struct err err;

	memcpy(&recorder->calls, calls,
	       calls->size < sizeof(recorder->calls) ? calls->size : sizeof(recorder->calls));
	recorder->real = (const struct spk_transport_driver *)driver_open(
		"transport", REAL, sizeof(*recorder->real), &err);
	if (!recorder->real)
		snprintf(reason->text, sizeof(reason->text), "%.255s", err.text);
	else
		recorder->transport = recorder->real->open(settings, count, &our_calls, reason);
	if (recorder->transport)
		return recorder;
	free(recorder);
	return NULL;
}

static void close_recorder(void *transport)
{
	struct recorder *recorder = transport;

	recorder->real->close(recorder->transport);
	free(recorder);
}

static int fd_of_recorder(void *transport)
{
	struct recorder *recorder = transport;

	return recorder->real->fd(recorder->transport);
}

static int64_t deadline_of_recorder(void *transport)
{
	struct recorder *recorder = transport;

	return recorder->real->deadline(recorder->transport);
}

static void dispatch(void *transport)
{
	struct recorder *recorder = transport;

	recorder->real->dispatch(recorder->transport);
}

static void *start(void *transport, const struct spk_transport_command *command,
		   struct spk_reason_buffer *reason)
{
	struct recorder *recorder = transport;
	struct spk_transport_command ours = *command;
	struct recorded *recorded = xcalloc(1, sizeof(*recorded));

	*recorded = (struct recorded){
		.recorder = recorder,
		.data = command->data,
		.host = xstrdup(command->host),
		.line = xstrdup(command->command),
	};
	ours.data = recorded;
	recorded->handle = recorder->real->start(recorder->transport, &ours, reason);
	if (recorded->handle)
		return recorded;
	recorded_free(recorded);
	return NULL;
}

static size_t feed(void *data, const char *bytes, size_t length)
{
	struct recorded *recorded = data;
	size_t took = recorded->recorder->real->feed(recorded->handle, bytes, length);

	buf_add(&recorded->input, bytes, took);
	return took;
}

static void finish_input(void *data)
{
	struct recorded *recorded = data;

	recorded->recorder->real->finish(recorded->handle);
}

static void hold(void *data, bool on)
{
	struct recorded *recorded = data;

	recorded->recorder->real->hold(recorded->handle, on);
}

static void abandon(void *data)
{
	struct recorded *recorded = data;

	recorded->recorder->real->abandon(recorded->handle);
	recorded_free(recorded);
}

const struct spk_transport_driver outside_recorder = {
	.driver = {.size = sizeof(outside_recorder),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "transport",
		   .name = OUTSIDE_RECORDER},
	.open = open_recorder,
	.close = close_recorder,
	.fd = fd_of_recorder,
	.deadline = deadline_of_recorder,
	.dispatch = dispatch,
	.start = start,
	.feed = feed,
	.finish = finish_input,
	.hold = hold,
	.abandon = abandon,
	.names_users = 1,
};

/* ---- reading ---- */

/* What one line says. */
struct told {
	char *host, *command, *out, *err;
	long end, code, milliseconds;
};

static void take_member(void *data, const char *name, bool in_list, enum json_scalar type,
			const char *value)
{
	struct told *told = data;
	const struct {
		const char *name;
		char **text;
		long *number;
	} members[] = {
		{"host", &told->host, NULL},
		{"command", &told->command, NULL},
		{"out", &told->out, NULL},
		{"err", &told->err, NULL},
		{"end", NULL, &told->end},
		{"code", NULL, &told->code},
		{"milliseconds", NULL, &told->milliseconds},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (strcmp(name, members[i].name) != 0)
			continue;
		if (members[i].text && type == JSON_TEXT && !*members[i].text)
			*members[i].text = xstrdup(value);
		else if (members[i].number && type == JSON_NUMBER)
			*members[i].number = strtol(value, NULL, 10);
	}
}

/* How a result tells what the transport has told. */
static uint32_t end_of(long kind)
{
	switch (kind) {
	case SPK_TRANSPORT_EXITED:
		return 0;
	case SPK_TRANSPORT_HOST_KEY:
		return SPK_REMOTE_HOST_KEY;
	case SPK_TRANSPORT_DENIED:
		return SPK_REMOTE_DENIED;
	case SPK_TRANSPORT_SIGNALLED:
	case SPK_TRANSPORT_LOST:
		return SPK_REMOTE_LOST;
	default:
		return SPK_REMOTE_UNREACHABLE;
	}
}

static void take_line(struct spk_test *test, const char *file, unsigned int number,
		      const char *line, size_t length)
{
	struct told told = {0};

	if (!json_line_read(line, length, take_member, &told) || !told.host || !told.command)
		test_give_up("%s:%u: not a line that was recorded", file, number);
	world_add_rule(test->world, RULE_HOST, told.host, told.command,
		       SPK_TEST_REPLY(.code = (int32_t)told.code, .out = told.out, .err = told.err,
				      .took = SPK_MILLISECONDS(told.milliseconds), .times = 1,
				      .end = end_of(told.end)));
	free(told.host);
	free(told.command);
	free(told.out);
	free(told.err);
}

static void play(struct spk_test *test, const char *name)
{
	FILE *file = fopen(name, "re");
	unsigned int number = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t got;

	if (!file)
		test_give_up("cannot read '%s': %s (record it with " VARIABLE "=1)", name,
			     strerrordesc_np(errno));
	while ((got = getline(&line, &size, file)) > 0)
		take_line(test, name, ++number, line,
			  (size_t)got - (line[got - 1] == '\n' ? 1 : 0));
	free(line);
	fclose(file);
}

void spk_test_recorded(struct spk_test *test, const char *file)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the threads of a test are its author's */
	const char *records = getenv(VARIABLE);

	if (!records || strcmp(records, "1") != 0) {
		play(test, file);
		return;
	}
	test_write(file, "", 0666);
	test->record_file = realpath(file, NULL);
	test->world->record_file = world_text(test->world, test->record_file);
}
