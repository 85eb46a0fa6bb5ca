/* SPDX-License-Identifier: Apache-2.0 */
/* One host: its connection through the socket of a master, from the first command on. */
#include "transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUX_HELLO 0x00000001U
#define MUX_VERSION 4U
#define MUX_C_PROXY 0x1000000fU
#define MUX_S_PROXY 0x8000000fU

/* A longer message is none of ours. */
#define MESSAGE_MAX (256U << 10)
/* Each ssh takes its share of this machine to log in; more at once would only all be late. */
#define CONNECTING_MAX 16

static bool is_connecting(enum host_state state)
{
	return state == HOST_ASKING || state == HOST_STARTING || state == HOST_GREETING;
}

static void enter(struct host *host, enum host_state state)
{
	bool was = is_connecting(host->state), is = is_connecting(state);

	host->state = state;
	host->transport->connecting += (size_t)is;
	host->transport->connecting -= (size_t)was;
	if (was && !is)
		transport_go_on(host->transport);
}

/* ---- the connection's end ---- */

void host_drop(struct host *host, bool wait)
{
	char path[256];

	process_end(host, wait);
	transport_unwatch(&host->socket);
	bytes_free(&host->in);
	bytes_free(&host->out);
	bytes_free(&host->said);
	bytes_free(&host->answered);
	/* One that was killed leaves its socket behind, in the way of the next. */
	snprintf(path, sizeof(path), "%s/%u", host->transport->directory, host->number);
	if (!wait)
		unlink(path);
	enter(host, HOST_IDLE);
	host->foreign = false;
}

/* Those that the host cannot have heard of are tried once more, if the connection was an old one.
 */
static bool survives(struct command *command, bool was_connected)
{
	if (!was_connected || command->again || command->abandoned ||
	    command->state > COMMAND_OPENING)
		return false;
	command->again = true;
	command->state = COMMAND_WAITING;
	return true;
}

void host_fail(struct host *host, enum spk_transport_end_kind kind, const char *reason)
{
	bool was_connected = host->state == HOST_CONNECTED;
	struct command *list = host->commands;
	char *kept = strdup(reason ? reason : "the connection broke");

	host_drop(host, false);
	host->commands = NULL;
	while (list) {
		struct command *command = list;

		list = command->next;
		command->next = host->commands;
		host->commands = command;
		if (survives(command, was_connected))
			transport_queue(host);
		else if (command->abandoned || command->state == COMMAND_CLOSED)
			command_free(command);
		else
			command_end(command,
				    command->state >= COMMAND_ASKED ? SPK_TRANSPORT_LOST : kind,
				    kept);
	}
	free(kept);
}

/* ---- connecting ---- */

static void start_master(struct host *host)
{
	int64_t now = transport_now(), deadline = now;

	for (struct command *command = host->commands; command; command = command->next)
		if (command->state == COMMAND_WAITING && command->deadline_ns > deadline)
			deadline = command->deadline_ns;
	enter(host, HOST_STARTING);
	if (!process_connect(host, deadline - now))
		host_fail(host, SPK_TRANSPORT_FAILED, "cannot start ssh");
}

static void greet(struct host *host)
{
	bytes_put_number(&host->out, 8);
	bytes_put_number(&host->out, MUX_HELLO);
	bytes_put_number(&host->out, MUX_VERSION);
	bytes_put_number(&host->out, 8);
	bytes_put_number(&host->out, MUX_C_PROXY);
	bytes_put_number(&host->out, 0); /* the number of the request */
	enter(host, HOST_GREETING);
	host_flush(host);
}

/* False: nobody listens there. */
static bool connect_to(struct host *host, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, path, strlen(path) + 1);
	host->socket.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (host->socket.fd < 0)
		return false;
	if (connect(host->socket.fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    !transport_watch(host->transport, &host->socket, EPOLLIN)) {
		transport_unwatch(&host->socket);
		return false;
	}
	return true;
}

/* To the operator's master where there is one, else to ours, which has to log in first. */
static void connect_host(struct host *host)
{
	if (host->control_path && connect_to(host, host->control_path)) {
		host->foreign = true;
		greet(host);
		return;
	}
	start_master(host);
}

static void ask_for_master(struct host *host)
{
	enter(host, HOST_ASKING);
	host->asked = true;
	if (!process_ask(host))
		host_fail(host, SPK_TRANSPORT_FAILED, "cannot start ssh");
}

static bool has_waiting(const struct host *host)
{
	for (const struct command *command = host->commands; command; command = command->next)
		if (command->state == COMMAND_WAITING)
			return true;
	return false;
}

static void open_channels(struct host *host)
{
	for (struct command *command = host->commands; command; command = command->next)
		if (command->state == COMMAND_WAITING)
			channel_open(command);
}

/* Goes on with all that could not go on before; who fed less than all is told that there is room.
 */
static void go_on(struct host *host)
{
	for (struct command *command = host->commands; command; command = command->next) {
		channel_pump(command);
		channel_adjust(command);
		if (command->wants_room && command->input.length == 0 && !command->abandoned) {
			command->wants_room = false;
			host->transport->calls.room(command->data);
		}
	}
}

/* Those that are tried now must be started in time. */
static void start_clocks(struct host *host)
{
	int64_t now = transport_now();

	for (struct command *command = host->commands; command; command = command->next)
		if (command->state == COMMAND_WAITING)
			command->deadline_ns = now + command->patience_ns;
}

void host_work(struct host *host)
{
	bool waiting = has_waiting(host);

	if (host->state == HOST_IDLE && waiting && host->transport->connecting >= CONNECTING_MAX) {
		host->patient = true;
		return;
	}
	if (waiting && (host->state == HOST_IDLE || host->state == HOST_CONNECTED))
		start_clocks(host);
	if (host->state == HOST_IDLE && waiting) {
		if (!host->asked)
			ask_for_master(host);
		else
			connect_host(host);
	} else if (host->state == HOST_CONNECTED) {
		open_channels(host);
		go_on(host);
		host_flush(host);
	}
}

void host_appeared(struct host *host)
{
	char path[256];

	if (host->state != HOST_STARTING)
		return;
	snprintf(path, sizeof(path), "%s/%u", host->transport->directory, host->number);
	/* It binds under another name first; this one it gets when it listens. */
	if (connect_to(host, path))
		greet(host);
}

/* ---- the socket ---- */

static bool any_held(const struct host *host)
{
	for (const struct command *command = host->commands; command; command = command->next)
		if (command->held)
			return true;
	return false;
}

static uint32_t wanted_events(const struct host *host)
{
	return (any_held(host) ? 0 : EPOLLIN) | (host->out.length > 0 ? EPOLLOUT : 0);
}

void host_flush(struct host *host)
{
	while (host->out.length > 0) {
		ssize_t put = send(host->socket.fd, host->out.data + host->out.first,
				   host->out.length, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		/* That it has gone is found when it is read. */
		if (put < 0)
			break;
		bytes_take(&host->out, (size_t)put);
	}
	transport_rewatch(host->transport, &host->socket, wanted_events(host));
}

/* While both sides say what they speak. */
static bool greeting_message(struct host *host, struct reader *message)
{
	uint32_t type = reader_number(message);

	if (type == MUX_HELLO)
		return reader_number(message) == MUX_VERSION;
	if (type != MUX_S_PROXY)
		return false;
	enter(host, HOST_CONNECTED);
	open_channels(host);
	return !message->bad;
}

/* All messages that have come as a whole. False: one makes no sense. */
static bool take_messages(struct host *host)
{
	while (host->in.length >= 4 && !any_held(host)) {
		struct reader head = {host->in.data + host->in.first, host->in.length, false};
		uint32_t length = reader_number(&head);
		struct reader message = {head.at, length, false};
		bool sense;

		if (length > MESSAGE_MAX)
			return false;
		if (head.left < length)
			return true;
		if (host->state == HOST_GREETING)
			sense = greeting_message(host, &message);
		else
			sense = channel_message(host, &message);
		bytes_take(&host->in, 4 + (size_t)length);
		if (!sense)
			return false;
	}
	return true;
}

static void not_usable(struct host *host)
{
	if (host->foreign && host->state == HOST_GREETING) {
		/* It speaks something else, or is about to end: with a master of our own, then. */
		host_drop(host, false);
		free(host->control_path);
		host->control_path = NULL;
		start_master(host);
		return;
	}
	host_fail(host, SPK_TRANSPORT_UNREACHABLE, "the master of ssh says what makes no sense");
}

/* What ssh said when the connection broke, if it is ours. */
static void broken(struct host *host)
{
	char reason[256];

	if (host->foreign && host->state == HOST_GREETING) {
		not_usable(host);
		return;
	}
	host_fail(host, process_verdict(host, "the connection broke", reason, sizeof(reason)),
		  reason);
}

static void socket_ready(struct host *host)
{
	unsigned char buffer[65536];
	ssize_t got = 0;
	int turns = 16; /* others want their turn, too */

	/* What was left while a command was held. */
	if (!take_messages(host)) {
		not_usable(host);
		return;
	}
	while (turns-- > 0 && !any_held(host) &&
	       (got = recv(host->socket.fd, buffer, sizeof(buffer), 0)) > 0) {
		bytes_add(&host->in, buffer, (size_t)got);
		explicit_bzero(buffer, (size_t)got);
		if (!take_messages(host)) {
			not_usable(host);
			return;
		}
	}
	if (turns >= 0 && !any_held(host) &&
	    (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))) {
		broken(host);
		return;
	}
	go_on(host);
	host_flush(host);
}

/* Our ssh has ended, or the one before has, and its news is from before. */
static void process_ended(struct host *host)
{
	siginfo_t info = {0};
	char reason[256];

	if (waitid(P_PID, (id_t)host->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    info.si_pid == 0)
		return;
	if (host->state == HOST_ASKING) {
		process_take_answer(host);
		host_drop(host, false);
		connect_host(host);
		return;
	}
	/* What the host has sent before comes first. */
	if (host->state == HOST_CONNECTED || host->state == HOST_GREETING) {
		transport_unwatch(&host->end);
		return;
	}
	host_fail(host, process_verdict(host, "ssh ended without a word", reason, sizeof(reason)),
		  reason);
}

void host_ready(struct host *host, struct watch *watch)
{
	switch (watch->kind) {
	case WATCH_SOCKET:
		socket_ready(host);
		break;
	case WATCH_WORDS:
		process_read_words(host);
		break;
	case WATCH_ANSWER:
		process_read_answer(host);
		break;
	case WATCH_END:
		process_ended(host);
		break;
	default:
		break;
	}
}
