/* SPDX-License-Identifier: Apache-2.0 */
/* The transport that asks real hosts, by the installed one of its name, and records what they
 * reply.
 */
#include "outside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/clock.h>

#include "../modules/remotewrap.h"
#include "../runtime/driver.h"
#include "../runtime/mem.h"
#include "recording.h"
#include "world.h"

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

static void on_ended(void *data, const struct spk_transport_end *end)
{
	struct recorded *recorded = data;
	struct recorder *recorder = recorded->recorder;
	void *theirs = recorded->data;
	struct wrap_heard heard = {0};

	wrap_hear(recorded->line, buf_text(&recorded->input), recorded->input.length, &heard);
	if (heard.command)
		recording_add(&(const struct recorded_reply){
			.kind = "command",
			.whom = recorded->host,
			.what = heard.command,
			.end = end->kind,
			.code = end->exit_code,
			.took_ns = recorded->began_ns ? spk_uptime().ns - recorded->began_ns : 0,
			.out = buf_text(&recorded->out),
			.out_length = recorded->out.length,
			.err = buf_text(&recorded->err),
		});
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
	recorder->real = (const struct spk_transport_driver *)driver_open_installed(
		"transport", OUTSIDE_RECORDER, sizeof(*recorder->real), &err);
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
