/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <libssh/callbacks.h>
#include <stdio.h>
#include <string.h>

#include "../net/dial.h"
#include "../base/memory.h"
#include "connection.h"
#include "ring.h"

/* Input that is taken before the host takes it. */
#define INPUT_MAX 65536
/*
 * libssh is given this much of it at once. The buffers of its sessions stay as large as the largest
 * message was: what is little is given in pieces for which they are large enough.
 */
#define INPUT_PIECE 32768
#define INPUT_LITTLE 4096
#define INPUT_LITTLE_PIECE 896
#define OUTPUT_PIECE 32768
/* What libssh keeps for us while output is held back is bounded by its window, unless the host
 * does not heed it. */
#define HELD_MAX ((uint32_t)4 << 20)

enum command_state {
	WAITING,     /* for a connection */
	OPENING,     /* the channel */
	ENVIRONMENT, /* is being set */
	STARTING,    /* the host is asked to start it */
	RUNNING,
	ENDED, /* and told, or let go of */
};

/* Output that libssh has given up and nobody has been told of. */
struct kept {
	char *bytes;
	size_t at, length;
};

struct command {
	struct grave grave;
	struct guest guest;
	struct guests *all; /* of the transport; `listed` is our place in it */
	struct guest listed;
	struct transport *transport;
	struct host *host;
	struct task task;
	struct timer timer; /* until it may run */
	enum command_state state;
	char *name, *text;
	void *data;
	struct end end; /* as far as it is known */
	bool end_known; /* kind EXITED or SIGNALLED */
	bool failed;    /* to be told by the task */

	ssh_channel channel; /* NULL: none */
	struct ssh_channel_callbacks_struct callbacks;
	size_t variable; /* of the environment: the next one */
	char variable_name[256];
	bool told_started, closed, held, abandoned;
	bool has_kept; /* output that came while it was held: libssh's or ours */
	struct kept kept[2];

	struct ring input;
	bool input_ended, input_end_sent;
	bool wants_room;
};

#define OWNER(member, pointer)                                                                     \
	((struct command *)(void *)((char *)(pointer)-offsetof(struct command, member)))

static const struct spk_transport_calls *calls_of(const struct command *command)
{
	return &command->transport->calls;
}

static void wake(struct command *command)
{
	loop_add_task(command->transport->loop, &command->task);
}

/* ---- the end ---- */

static void kept_free(struct kept *kept)
{
	memory_free(kept->bytes);
	*kept = (struct kept){0};
}

static void bury(struct grave *grave)
{
	struct command *command = (struct command *)(void *)grave;

	kept_free(&command->kept[0]);
	kept_free(&command->kept[1]);
	memory_free(command->name);
	memory_free(command->text);
	ring_free(&command->input);
	memory_free(command);
}

static void drop_channel(struct command *command)
{
	if (!command->channel)
		return;
	ssh_remove_channel_callbacks(command->channel, &command->callbacks);
	connection_drop_channel(command->guest.connection, command->channel);
	command->channel = NULL;
}

/* Nothing refers to it any more. */
static void dispose(struct command *command)
{
	struct loop *loop = command->transport->loop;

	drop_channel(command);
	host_leave(&command->guest);
	loop_drop_task(loop, &command->task);
	loop_stop_timer(loop, &command->timer);
	guests_remove(command->all, &command->listed);
	command->state = ENDED;
	command->grave.bury = bury;
	loop_bury(loop, &command->grave);
}

/* The host has not said yet whether it opens the channel: only then it can be closed. */
static bool is_opening(const struct command *command)
{
	return command->state == OPENING && command->channel;
}

static void tell_end(struct command *command)
{
	const struct end end = command->end;
	const struct spk_transport_calls *calls = calls_of(command);
	void *data = command->data;
	bool told = !command->abandoned;
	const struct spk_transport_end public = {
		.size = sizeof(public),
		.kind = end.kind,
		.exit_code = end.exit_code,
		.signal = *end.signal ? end.signal : NULL,
		.reason = end.kind == SPK_TRANSPORT_EXITED ? NULL : end.reason};

	command->failed = false;
	command->abandoned = true;
	loop_stop_timer(command->transport->loop, &command->timer);
	if (!is_opening(command))
		dispose(command);
	if (told)
		calls->ended(data, &public);
}

/* To be told by the task, for we may be anywhere. */
static void fail(struct command *command, const struct end *end)
{
	command->end = *end;
	command->failed = true;
	wake(command);
}

/* A broken connection means something else once the host may have begun. */
static void turned_away(struct guest *guest, const struct end *end)
{
	fail(OWNER(guest, guest), end);
}

static void lost(struct guest *guest, const struct end *end)
{
	struct command *command = OWNER(guest, guest);

	command->channel = NULL;
	/* The host has said how it ended: what broke after that does not matter. */
	if (command->end_known && !command->held) {
		fail(command, &command->end);
		return;
	}
	fail(command, end);
	if (command->state < STARTING && command->end.kind == SPK_TRANSPORT_LOST)
		command->end.kind = SPK_TRANSPORT_UNREACHABLE;
}

static void run_out(struct timer *timer)
{
	struct command *command = OWNER(timer, timer);
	const char *what = "the start of the command";
	struct end end = {0};

	if (command->state == WAITING)
		what = host_phase(command->host);
	else if (command->state == OPENING)
		what = "a session";
	/* Whether it runs there nobody knows when the host does not answer that. */
	end_set(&end, command->state == STARTING ? SPK_TRANSPORT_LOST : SPK_TRANSPORT_UNREACHABLE,
		"%s: no answer in time: it waited for %s", command->name, what);
	fail(command, &end);
}

/* ---- what the host says ---- */

static void tell_started(struct command *command)
{
	if (command->told_started)
		return;
	command->told_started = true;
	command->state = RUNNING;
	loop_stop_timer(command->transport->loop, &command->timer);
	if (!command->abandoned)
		calls_of(command)->started(command->data);
}

static int take_data(ssh_session session, ssh_channel channel, void *bytes, uint32_t length,
		     int is_stderr, void *data)
{
	struct command *command = data;

	if (command->state == STARTING)
		tell_started(command);
	if (command->abandoned || command->state != RUNNING)
		return (int)length;
	if (!command->held && command->kept[is_stderr ? 1 : 0].length == 0) {
		calls_of(command)->output(command->data, is_stderr ? 2 : 1, bytes, length);
		return (int)length;
	}
	if (length > HELD_MAX)
		connection_accuse(command->guest.connection, "sends more than it may");
	command->has_kept = true;
	return 0;
}

static void take_code(ssh_session session, ssh_channel channel, int code, void *data)
{
	struct command *command = data;

	if (command->end_known)
		return;
	command->end_known = true;
	command->end.kind = SPK_TRANSPORT_EXITED;
	command->end.exit_code = code & 255;
}

static void take_signal(ssh_session session, ssh_channel channel, const char *name, int core,
			const char *message, const char *language, void *data)
{
	struct command *command = data;

	if (command->end_known)
		return;
	command->end_known = true;
	end_printable(name, command->end.signal, sizeof(command->end.signal));
	end_set(&command->end, SPK_TRANSPORT_SIGNALLED, "%s: it was ended by SIG%s%s",
		command->name, command->end.signal, core ? ", with a core dump" : "");
}

static void take_close(ssh_session session, ssh_channel channel, void *data)
{
	struct command *command = data;

	command->closed = true;
	wake(command);
}

/* ---- input ---- */

/* Gives libssh what the host takes, and no more than is on its way at once. */
static void send_input(struct command *command)
{
	struct ring *input = &command->input;
	const size_t piece = input->length > INPUT_LITTLE ? INPUT_PIECE : INPUT_LITTLE_PIECE;

	while (input->length > 0) {
		uint32_t window = ssh_channel_window_size(command->channel);
		size_t length;
		const char *bytes = ring_first(input, &length);
		int done;

		if (window == 0 || !connection_is_flushed(command->guest.connection))
			break;
		length = length < window ? length : window;
		length = length < piece ? length : piece;
		done = ssh_channel_write(command->channel, bytes, (uint32_t)length);
		connection_touch(command->guest.connection);
		if (done <= 0)
			break;
		ring_drop(input, (size_t)done);
	}
	if (input->length == 0 && command->input_ended && !command->input_end_sent) {
		command->input_end_sent = true;
		ssh_channel_send_eof(command->channel);
		connection_touch(command->guest.connection);
	}
	command->guest.restless = input->length > 0;
	if (command->wants_room && input->length <= INPUT_MAX / 2 && !command->input_ended) {
		command->wants_room = false;
		calls_of(command)->room(command->data);
	}
}

size_t command_feed(struct command *command, const char *bytes, size_t length)
{
	const size_t room = INPUT_MAX - command->input.length;

	if (command->input_ended || command->abandoned)
		return length;
	command->wants_room = length > room;
	length = length < room ? length : room;
	if (length == 0)
		return 0;
	ring_put(&command->input, bytes, length);
	wake(command);
	return length;
}

void command_finish(struct command *command)
{
	command->input_ended = true;
	wake(command);
}

/* ---- output that was held back ---- */

/*
 * Takes all that libssh has, which is no more than it lets come: whatever of it is read, it asks
 * the host for more, however much is left. False: there is nothing.
 */
static bool take_kept(struct command *command, int stream)
{
	struct kept *kept = &command->kept[stream - 1];
	int have = ssh_channel_poll(command->channel, stream == 2), got;

	/* It may have read from the host, too, and told it. */
	if (have <= 0 || !command->channel || command->held)
		return false;
	kept->bytes = memory_raw((size_t)have);
	got = ssh_channel_read_nonblocking(command->channel, kept->bytes, (uint32_t)have,
					   stream == 2);
	kept->length = got > 0 ? (size_t)got : 0;
	if (kept->length == 0)
		kept_free(kept);
	return kept->length > 0;
}

static void drain(struct command *command, int stream)
{
	struct kept *kept = &command->kept[stream - 1];

	while (command->channel && !command->held && !command->abandoned) {
		size_t left;

		if (kept->length == 0 && !take_kept(command, stream))
			return;
		left = kept->length - kept->at;
		left = left < OUTPUT_PIECE ? left : OUTPUT_PIECE;
		calls_of(command)->output(command->data, stream, kept->bytes + kept->at, left);
		kept->at += left;
		if (kept->at == kept->length)
			kept_free(kept);
	}
}

void command_hold(struct command *command, bool on)
{
	if (command->held == on)
		return;
	command->held = on;
	if (!on)
		wake(command);
}

/* ---- steps ---- */

static int refused(struct command *command, const char *what)
{
	ssh_session session = connection_session(command->guest.connection);
	char why[256];
	struct end end = {0};

	end_set(&end, SPK_TRANSPORT_FAILED, "%s: %s: %s", command->name, what,
		end_printable(ssh_get_error(session), why, sizeof(why)));
	fail(command, &end);
	return 0;
}

/* Each: 1: done, 0: not yet, or it failed. */

static int open_channel(struct command *command)
{
	struct connection *connection = command->guest.connection;
	int rc = ssh_channel_open_session(command->channel);

	connection_touch(connection);
	if (rc == SSH_AGAIN)
		return 0;
	if (command->abandoned) {
		dispose(command);
		return 0;
	}
	if (rc == SSH_OK)
		return 1;
	if (ssh_is_connected(connection_session(connection)) && connection_share(connection) > 1) {
		/* There are as many as the host takes. */
		connection_is_full(connection);
		drop_channel(command);
		command->state = WAITING;
		command->guest.restless = false;
		host_send_back(&command->guest);
		return 0;
	}
	return refused(command, "it opens no session");
}

/* A variable that the host does not accept is left out. */
static int set_environment(struct command *command)
{
	const struct words *variables = &command->host->target->environment;

	for (; command->variable < variables->count; command->variable++) {
		const char *variable = variables->items[command->variable];
		size_t length = strcspn(variable, "=");
		int rc;

		if (length >= sizeof(command->variable_name))
			continue;
		snprintf(command->variable_name, sizeof(command->variable_name), "%.*s",
			 (int)length, variable);
		rc = ssh_channel_request_env(command->channel, command->variable_name,
					     variable + length + 1);
		connection_touch(command->guest.connection);
		if (rc == SSH_AGAIN)
			return 0;
	}
	return 1;
}

static int start(struct command *command)
{
	int rc = ssh_channel_request_exec(command->channel, command->text);

	connection_touch(command->guest.connection);
	if (rc == SSH_AGAIN)
		return 0;
	if (rc == SSH_OK) {
		tell_started(command);
		return 1;
	}
	/* When it broke, lost() comes. */
	if (ssh_is_connected(connection_session(command->guest.connection)))
		return refused(command, "it does not start the command");
	return 0;
}

static void advance(struct guest *guest)
{
	struct command *command = OWNER(guest, guest);

	if (command->failed)
		return;
	if (command->state == OPENING && open_channel(command))
		command->state = ENVIRONMENT;
	if (command->state == ENVIRONMENT && set_environment(command))
		command->state = STARTING;
	if (command->state == STARTING)
		start(command);
	if (command->state == RUNNING && command->channel && !command->abandoned)
		send_input(command);
}

static void admitted(struct guest *guest)
{
	struct command *command = OWNER(guest, guest);
	struct end end = {0};

	if (command->failed || command->abandoned)
		return;
	command->channel = ssh_channel_new(connection_session(guest->connection));
	command->callbacks = (struct ssh_channel_callbacks_struct){
		.userdata = command,
		.channel_data_function = take_data,
		.channel_exit_status_function = take_code,
		.channel_exit_signal_function = take_signal,
		.channel_close_function = take_close,
	};
	ssh_callbacks_init(&command->callbacks);
	if (!command->channel ||
	    ssh_add_channel_callbacks(command->channel, &command->callbacks) != SSH_OK) {
		end_set(&end, SPK_TRANSPORT_FAILED, "%s: out of memory", command->name);
		fail(command, &end);
		return;
	}
	command->state = OPENING;
	guest->restless = true;
	advance(guest);
}

/* The host has closed the channel, and all that it said has been told. */
static void conclude(struct command *command)
{
	if (!command->end_known)
		end_set(&command->end, SPK_TRANSPORT_LOST,
			"%s: the host closed the session and did not say how the command ended",
			command->name);
	if (command->state == STARTING)
		tell_started(command);
	tell_end(command);
}

static void look(struct task *task)
{
	struct command *command = OWNER(task, task);

	if (command->failed) {
		tell_end(command);
		return;
	}
	if (command->abandoned) {
		if (!is_opening(command))
			dispose(command);
		return;
	}
	if (!command->channel)
		return;
	if (command->state == RUNNING && command->has_kept && !command->held) {
		drain(command, 1);
		drain(command, 2);
		command->has_kept = command->held;
	}
	if (command->failed || command->abandoned)
		return;
	if (command->closed) {
		if (!command->held)
			conclude(command);
		return;
	}
	if (command->state == RUNNING)
		send_input(command);
}

static const struct guest_calls guest_calls = {
	.admitted = admitted,
	.turned_away = turned_away,
	.advance = advance,
	.lost = lost,
};

/* ---- the whole ---- */

static int64_t deadline_of(const struct command *command, int64_t timeout_ns)
{
	const int64_t now = net_now();

	if (command->host->target->connect_timeout_ns < timeout_ns)
		timeout_ns = command->host->target->connect_timeout_ns;
	return timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
}

/* A host that was built before there was such a member names none. */
static const char *user_of(const struct spk_transport_command *wanted)
{
	return wanted->size > offsetof(struct spk_transport_command, user) ? wanted->user : NULL;
}

struct command *command_start(struct transport *transport,
			      const struct spk_transport_command *wanted)
{
	const struct target_name name = {.host = wanted->host, .user = user_of(wanted)};
	struct command *command = memory_new(1, sizeof(*command));

	command->guest = (struct guest){.calls = &guest_calls, .is_session = true};
	command->transport = transport;
	command->all = &transport->commands;
	guests_add(command->all, &command->listed);
	command->task.run = look;
	command->timer.fire = run_out;
	command->name = memory_copy(wanted->host);
	command->text = memory_copy(wanted->command);
	command->data = wanted->data;
	command->input_ended = !wanted->input;
	command->host = host_find(transport, &name, &command->end);
	if (!command->host) {
		command->failed = true;
		wake(command);
		return command;
	}
	command->guest.deadline_ns = deadline_of(command, wanted->connect_timeout_ns);
	if (command->guest.deadline_ns < INT64_MAX)
		loop_set_timer(transport->loop, &command->timer, command->guest.deadline_ns);
	host_enter(command->host, &command->guest);
	return command;
}

/* By the task, for libssh may be at work with the channel. */
void command_abandon(struct command *command)
{
	command->abandoned = true;
	loop_stop_timer(command->transport->loop, &command->timer);
	wake(command);
}

void command_free_all(struct transport *transport)
{
	while (transport->commands.first) {
		struct command *command = OWNER(listed, transport->commands.first);

		/* It goes with its session. */
		command->channel = NULL;
		dispose(command);
	}
}
