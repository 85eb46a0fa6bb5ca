/* SPDX-License-Identifier: Apache-2.0 */
/* Other hosts: what they reply to commands (kind "transport"), and which there are. */
#include "outside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <spicerack/clock.h>
#include <spicerack/remote.h>

#include "../modules/remotewrap.h"
#include "../runtime/mem.h"
#include "../runtime/testing.h"
#include "world.h"

/* Nothing waits for longer in one go: who waits has times of its own in between. */
#define LEAP_NS 1000000000LL

/* A command on its way. */
struct command {
	struct command *next;
	struct hosts *hosts;
	void *data;
	char *host, *line;
	struct buf input;
	struct wrap_heard heard;
	const struct spk_test_reply *reply;
	int64_t due_ns;
	bool started, finished;
};

struct hosts {
	struct spk_transport_calls calls;
	struct command *commands, **last;
	int fd;
};

static const struct spk_test_reply unknown = {
	.size = sizeof(unknown),
	.code = 127,
	.out = "",
	.err = "spicerack-testing: the test does not say how this host replies to this command\n",
};

static const struct spk_test_reply unreachable = {
	.size = sizeof(unreachable),
	.out = "",
	.err = "",
	.end = SPK_REMOTE_UNREACHABLE,
};

static const struct {
	uint32_t end;
	enum spk_transport_end_kind kind;
	const char *words;
} ends[] = {
	{SPK_REMOTE_UNREACHABLE, SPK_TRANSPORT_UNREACHABLE, "unreachable, the test says"},
	{SPK_REMOTE_HOST_KEY, SPK_TRANSPORT_HOST_KEY, "another host key, the test says"},
	{SPK_REMOTE_DENIED, SPK_TRANSPORT_DENIED, "denied, the test says"},
	{SPK_REMOTE_LOST, SPK_TRANSPORT_LOST, "the connection broke, the test says"},
};

static void *open_hosts(const struct spk_driver_setting *settings, size_t count,
			const struct spk_transport_calls *calls, struct spk_reason_buffer *reason)
{
	struct hosts *hosts = xcalloc(1, sizeof(*hosts));

	memcpy(&hosts->calls, calls,
	       calls->size < sizeof(hosts->calls) ? calls->size : sizeof(hosts->calls));
	hosts->last = &hosts->commands;
	hosts->fd = eventfd(1, EFD_CLOEXEC);
	return hosts;
}

static void command_free(struct command *command)
{
	struct command **place = &command->hosts->commands;

	while (*place != command)
		place = &(*place)->next;
	*place = command->next;
	if (!command->next)
		command->hosts->last = place;
	wrap_heard_free(&command->heard);
	buf_free(&command->input);
	free(command->host);
	free(command->line);
	free(command);
}

static void close_hosts(void *transport)
{
	struct hosts *hosts = transport;

	while (hosts->commands)
		command_free(hosts->commands);
	close(hosts->fd);
	free(hosts);
}

/* There is always something to do: nobody waits in the time that is not of the test. */
static int fd_of_hosts(void *transport)
{
	return ((struct hosts *)transport)->fd;
}

static int64_t deadline_of_hosts(void *transport)
{
	return INT64_MAX;
}

static void *start(void *transport, const struct spk_transport_command *what,
		   struct spk_reason_buffer *reason)
{
	struct hosts *hosts = transport;
	struct command *command = xcalloc(1, sizeof(*command));

	command->hosts = hosts;
	command->data = what->data;
	command->host = xstrdup(what->host);
	command->line = xstrdup(what->command);
	*hosts->last = command;
	hosts->last = &command->next;
	return command;
}

static size_t feed(void *data, const char *bytes, size_t length)
{
	struct command *command = data;

	buf_add(&command->input, bytes, length);
	return length;
}

static void finish_input(void *data)
{
	((struct command *)data)->finished = true;
}

static void hold(void *command, bool on)
{
}

static void abandon(void *command)
{
	command_free(command);
}

/* ---- the course of a command ---- */

static const char *name_of_end(const struct spk_transport_end *end, char text[static 64])
{
	if (end->kind == SPK_TRANSPORT_EXITED)
		snprintf(text, 64, "exit code %d", end->exit_code);
	else
		snprintf(text, 64, "%s", end->signal ? end->signal : end->reason);
	return text;
}

static void end(struct command *command, const struct spk_transport_end *how)
{
	const struct spk_transport_calls *calls = &command->hosts->calls;
	const char *what = command->heard.command ? command->heard.command : command->line;
	void *data = command->data;
	char text[64];

	world_happened_on(world_here(), command->host, command->started ? what : NULL,
			  "host %s: %s -> %s%s", command->host, what, name_of_end(how, text),
			  command->reply == &unknown ? ", the test does not say how it replies"
						     : "");
	command_free(command);
	calls->ended(data, how);
}

static bool end_without_running(struct command *command)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (command->reply->end != ends[i].end)
			continue;
		/* Of one that is lost nobody knows how far it came. */
		command->started = ends[i].end == SPK_REMOTE_LOST;
		if (command->started)
			command->hosts->calls.started(command->data);
		end(command,
		    &(const struct spk_transport_end){.size = sizeof(struct spk_transport_end),
						      .kind = ends[i].kind,
						      .reason = ends[i].words});
		return true;
	}
	return false;
}

static void choose_reply(struct command *command)
{
	struct buf what = {0};

	buf_printf(&what, "host %s: %s", command->host, command->heard.command);
	command->reply = world_reply(world_here(), RULE_HOST, command->host,
				     command->heard.command);
	if (!command->reply)
		command->reply = &unknown;
	if (world_step(true, world_is_undoing(), buf_text(&what)))
		command->reply = &unreachable;
	buf_free(&what);
}

static void write_reply(const struct command *command)
{
	const struct spk_test_reply *reply = command->reply;
	const struct spk_transport_calls *calls = &command->hosts->calls;

	if (*reply->out)
		calls->output(command->data, 1, reply->out, strlen(reply->out));
	if (*reply->err)
		calls->output(command->data, 2, reply->err, strlen(reply->err));
}

/* One move of one command; false: it waits. */
static bool move(struct command *command)
{
	int64_t now = spk_uptime().ns;

	if (!command->heard.command)
		wrap_hear(command->line, buf_text(&command->input), command->input.length,
			  &command->heard);
	if (command->heard.command && !command->reply) {
		choose_reply(command);
		if (end_without_running(command))
			return true;
		command->started = true;
		command->due_ns = now + command->reply->took.ns;
		command->hosts->calls.started(command->data);
		return true;
	}
	if (command->finished) {
		end(command,
		    &(const struct spk_transport_end){.size = sizeof(struct spk_transport_end),
						      .kind = SPK_TRANSPORT_SIGNALLED,
						      .signal = "TERM"});
		return true;
	}
	if (!command->reply || command->reply->hangs || now < command->due_ns)
		return false;
	write_reply(command);
	end(command, &(const struct spk_transport_end){.size = sizeof(struct spk_transport_end),
						       .kind = SPK_TRANSPORT_EXITED,
						       .exit_code = command->reply->code & 0xff});
	return true;
}

static bool move_any(struct hosts *hosts)
{
	for (struct command *command = hosts->commands; command; command = command->next)
		if (move(command))
			return true;
	return false;
}

/* Until the first of them ends, or a little. */
static int64_t leap(const struct hosts *hosts)
{
	int64_t now = spk_uptime().ns, until = now + LEAP_NS;

	for (const struct command *command = hosts->commands; command; command = command->next)
		if (command->started && !command->reply->hangs && command->due_ns < until)
			until = command->due_ns;
	return until;
}

static void dispatch(void *transport)
{
	struct hosts *hosts = transport;
	bool moved = false;

	while (move_any(hosts))
		moved = true;
	if (!moved)
		testing_sleep_until(leap(hosts));
}

const struct spk_transport_driver outside_hosts = {
	.driver = {.size = sizeof(outside_hosts),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "transport",
		   .name = OUTSIDE_NAME},
	.open = open_hosts,
	.close = close_hosts,
	.fd = fd_of_hosts,
	.deadline = deadline_of_hosts,
	.dispatch = dispatch,
	.start = start,
	.feed = feed,
	.finish = finish_input,
	.hold = hold,
	.abandon = abandon,
	.names_users = 1,
};

/* ---- which there are ---- */

/* The letter that the backend has, which is all that it is told. */
static void *open_inventory(const struct spk_driver_setting *settings, size_t count,
			    struct spk_reason_buffer *reason)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(settings[i].name, "of") == 0)
			return xstrdup(settings[i].value);
	snprintf(reason->text, sizeof(reason->text), "'of' must be its letter");
	return NULL;
}

static enum spk_inventory_status find(void *inventory, const char *query, size_t length,
				      spk_inventory_visitor *visitor, void *data,
				      struct spk_inventory_call *call)
{
	char *whole = xasprintf("%s{%.*s}", (const char *)inventory, (int)length, query);
	char *step = xasprintf("query %s", whole);
	const struct spk_test_reply *reply = world_reply(world_here(), RULE_QUERY, "*", whole);
	enum spk_inventory_status status = SPK_INVENTORY_FAILED;

	if (world_step(true, world_is_undoing(), step))
		snprintf(call->reason.text, sizeof(call->reason.text), "the test has it fail");
	else if (!reply)
		snprintf(call->reason.text, sizeof(call->reason.text),
			 "the test does not say which hosts %s finds", whole);
	else if (visitor(data, reply->out, strlen(reply->out)))
		status = SPK_INVENTORY_OK;
	world_happened(world_here(), "%s -> %s", step,
		       status == SPK_INVENTORY_OK ? reply->out : "failed");
	free(step);
	free(whole);
	return status;
}

static void close_inventory(void *inventory)
{
	free(inventory);
}

const struct spk_inventory_driver outside_inventory = {
	.driver = {.size = sizeof(outside_inventory),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "inventory",
		   .name = OUTSIDE_NAME},
	.language = SPK_INVENTORY_OWN,
	.open = open_inventory,
	.close = close_inventory,
	.find = find,
};
