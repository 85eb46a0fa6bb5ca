/* SPDX-License-Identifier: Apache-2.0 */
/* SSH's connection protocol (RFC 4254), as a master hands it on: one channel for each command. */
#include "transport.h"

#include <stdlib.h>
#include <string.h>

#include <endian.h>

enum message {
	GLOBAL_REQUEST = 80,
	CHANNEL_OPEN = 90,
	CHANNEL_OPEN_CONFIRMATION = 91,
	CHANNEL_OPEN_FAILURE = 92,
	CHANNEL_WINDOW_ADJUST = 93,
	CHANNEL_DATA = 94,
	CHANNEL_EXTENDED_DATA = 95,
	CHANNEL_EOF = 96,
	CHANNEL_CLOSE = 97,
	CHANNEL_REQUEST = 98,
	CHANNEL_SUCCESS = 99,
	CHANNEL_FAILURE = 100,
};

#define EXTENDED_STDERR 1
#define WINDOW (1U << 20)
#define PACKET 32768
/* So much may wait to be written to the master. */
#define OUT_MAX (256U << 10)

/* ---- messages to the host ---- */

/* Begins a message; its length is filled in by finish(). Returns where it begins. */
static size_t begin(struct host *host, enum message type)
{
	size_t start = host->out.length;
	const unsigned char head[] = {0, (unsigned char)type}; /* no padding */

	bytes_put_number(&host->out, 0);
	bytes_add(&host->out, head, sizeof(head));
	return start;
}

static void finish(struct host *host, size_t start)
{
	uint32_t length = htobe32((uint32_t)(host->out.length - start - sizeof(length)));

	memcpy(host->out.data + host->out.first + start, &length, sizeof(length));
}

static void send_short(struct command *command, enum message type)
{
	size_t start = begin(command->host, type);

	bytes_put_number(&command->host->out, command->far_channel);
	finish(command->host, start);
}

void channel_open(struct command *command)
{
	struct host *host = command->host;
	size_t start = begin(host, CHANNEL_OPEN);

	command->channel = host->channels++;
	command->state = COMMAND_OPENING;
	bytes_put_text(&host->out, "session", 7);
	bytes_put_number(&host->out, command->channel);
	bytes_put_number(&host->out, WINDOW);
	bytes_put_number(&host->out, PACKET);
	finish(host, start);
}

/* The host takes those that it is configured to take. */
static void send_variable(struct command *command, const char *variable)
{
	struct host *host = command->host;
	size_t start = begin(host, CHANNEL_REQUEST), name = strcspn(variable, "=");

	bytes_put_number(&host->out, command->far_channel);
	bytes_put_text(&host->out, "env", 3);
	bytes_add(&host->out, "\0", 1); /* not to be answered */
	bytes_put_text(&host->out, variable, name);
	bytes_put_text(&host->out, variable + name + 1, strlen(variable + name + 1));
	finish(host, start);
}

static void ask_to_run(struct command *command)
{
	struct host *host = command->host;
	size_t start;

	for (size_t i = 0; i < host->environment_count; i++)
		if (strchr(host->environment[i], '='))
			send_variable(command, host->environment[i]);
	start = begin(host, CHANNEL_REQUEST);
	bytes_put_number(&host->out, command->far_channel);
	bytes_put_text(&host->out, "exec", 4);
	bytes_add(&host->out, "\1", 1); /* to be answered */
	bytes_put_text(&host->out, command->text, strlen(command->text));
	finish(host, start);
	command->state = COMMAND_ASKED;
}

static void send_data(struct command *command, size_t length)
{
	struct host *host = command->host;
	size_t start = begin(host, CHANNEL_DATA);

	bytes_put_number(&host->out, command->far_channel);
	bytes_put_text(&host->out, command->input.data + command->input.first, length);
	finish(host, start);
	bytes_take(&command->input, length);
	command->far_window -= (uint32_t)length;
}

void channel_pump(struct command *command)
{
	if (command->state != COMMAND_ASKED && command->state != COMMAND_STARTED)
		return;
	while (command->input.length > 0 && command->far_window > 0 &&
	       command->host->out.length < OUT_MAX) {
		size_t length = command->input.length;

		if (length > command->far_window)
			length = command->far_window;
		if (length > command->far_packet)
			length = command->far_packet;
		send_data(command, length);
	}
	if (command->input.length == 0 && command->finished && !command->end_sent) {
		send_short(command, CHANNEL_EOF);
		command->end_sent = true;
	}
}

void channel_adjust(struct command *command)
{
	struct host *host = command->host;
	size_t start;

	if (command->held || command->taken < WINDOW / 2 || command->state == COMMAND_CLOSED)
		return;
	start = begin(host, CHANNEL_WINDOW_ADJUST);
	bytes_put_number(&host->out, command->far_channel);
	bytes_put_number(&host->out, command->taken);
	finish(host, start);
	command->taken = 0;
}

void channel_close(struct command *command)
{
	if (command->state == COMMAND_ASKED || command->state == COMMAND_STARTED)
		send_short(command, CHANNEL_CLOSE);
	command->state = COMMAND_CLOSED;
}

/* ---- the end of a command ---- */

void command_free(struct command *command)
{
	struct command **place = &command->host->commands;

	while (*place != command)
		place = &(*place)->next;
	*place = command->next;
	bytes_free(&command->input);
	/* It may tell more than others should know. */
	explicit_bzero(command->text, strlen(command->text));
	free(command->text);
	free(command->signal);
	free(command);
}

void command_end(struct command *command, enum spk_transport_end_kind kind, const char *reason)
{
	const struct spk_transport_calls *calls = &command->host->transport->calls;

	command->end.size = sizeof(command->end);
	command->end.kind = kind;
	command->end.reason = kind == SPK_TRANSPORT_EXITED ? NULL : reason;
	command->end.signal = kind == SPK_TRANSPORT_SIGNALLED ? command->signal : NULL;
	if (!command->abandoned)
		calls->ended(command->data, &command->end);
	command_free(command);
}

/* ---- messages from the host ---- */

/* The name of a signal, a word of capitals and digits, or what stands for another. */
static char *signal_name(const char *name, size_t length)
{
	char *copy;
	size_t i;

	for (i = 0; i < length && i < 20; i++)
		if (!((name[i] >= 'A' && name[i] <= 'Z') || (name[i] >= '0' && name[i] <= '9')))
			break;
	if (i == 0 || i < length)
		return strdup("?");
	copy = memory(NULL, length + 1);
	memcpy(copy, name, length);
	copy[length] = '\0';
	return copy;
}

static void on_request(struct command *command, struct reader *message)
{
	size_t length;
	const char *name = reader_text(message, &length);
	bool reply = reader_byte(message);

	if (length == 11 && memcmp(name, "exit-status", 11) == 0) {
		command->end.kind = SPK_TRANSPORT_EXITED;
		command->end.exit_code = (int32_t)(reader_number(message) & 0xff);
		command->told = true;
	} else if (length == 11 && memcmp(name, "exit-signal", 11) == 0) {
		name = reader_text(message, &length);
		free(command->signal);
		command->signal = signal_name(name, length);
		command->end.kind = SPK_TRANSPORT_SIGNALLED;
		command->told = true;
	} else if (reply) {
		send_short(command, CHANNEL_FAILURE);
	}
}

static void on_close(struct command *command)
{
	static const char untold[] = "the host closed the channel and did not tell how it ended";
	enum spk_transport_end_kind kind = (enum spk_transport_end_kind)command->end.kind;

	if (command->state != COMMAND_CLOSED)
		send_short(command, CHANNEL_CLOSE);
	if (command->told)
		command_end(command, kind, "it was ended by a signal");
	else
		command_end(command, SPK_TRANSPORT_LOST, untold);
}

static void on_data(struct command *command, int stream, struct reader *message)
{
	const struct spk_transport_calls *calls = &command->host->transport->calls;
	size_t length;
	const char *text = reader_text(message, &length);

	command->taken += (uint32_t)length;
	if (!command->abandoned && length > 0 && stream)
		calls->output(command->data, stream, text, length);
	channel_adjust(command);
}

static void on_confirmation(struct command *command, struct reader *message)
{
	command->far_channel = reader_number(message);
	command->far_window = reader_number(message);
	command->far_packet = reader_number(message);
	if (command->far_packet > PACKET)
		command->far_packet = PACKET;
	if (command->state == COMMAND_CLOSED) {
		send_short(command, CHANNEL_CLOSE);
		return;
	}
	ask_to_run(command);
	/* It comes behind the request, so the host has somebody to give it to. */
	channel_pump(command);
}

static void on_open_failure(struct command *command, struct reader *message)
{
	size_t length;
	const char *text;
	char reason[200] = "the host opens no channel for a command: ";
	size_t at = strlen(reason);

	reader_number(message);
	text = reader_text(message, &length);
	for (size_t i = 0; i < length && at + 1 < sizeof(reason); i++)
		reason[at++] = (char)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	reason[at] = '\0';
	command_end(command, SPK_TRANSPORT_FAILED, reason);
}

static void on_adjust(struct command *command, struct reader *message)
{
	uint32_t more = reader_number(message);

	if (__builtin_add_overflow(command->far_window, more, &command->far_window))
		command->far_window = UINT32_MAX;
	channel_pump(command);
}

static void on_success(struct command *command)
{
	if (command->state != COMMAND_ASKED)
		return;
	command->state = COMMAND_STARTED;
	command->host->transport->calls.started(command->data);
}

static void on_failure(struct command *command)
{
	if (command->state != COMMAND_ASKED)
		return;
	send_short(command, CHANNEL_CLOSE);
	command_end(command, SPK_TRANSPORT_FAILED, "the host refused to run it");
}

static void dispatch(struct command *command, uint8_t type, struct reader *message)
{
	switch (type) {
	case CHANNEL_OPEN_CONFIRMATION:
		on_confirmation(command, message);
		break;
	case CHANNEL_OPEN_FAILURE:
		on_open_failure(command, message);
		break;
	case CHANNEL_WINDOW_ADJUST:
		on_adjust(command, message);
		break;
	case CHANNEL_DATA:
		on_data(command, 1, message);
		break;
	case CHANNEL_EXTENDED_DATA:
		on_data(command, reader_number(message) == EXTENDED_STDERR ? 2 : 0, message);
		break;
	case CHANNEL_CLOSE:
		on_close(command);
		break;
	case CHANNEL_REQUEST:
		on_request(command, message);
		break;
	case CHANNEL_SUCCESS:
		on_success(command);
		break;
	case CHANNEL_FAILURE:
		on_failure(command);
		break;
	default: /* EOF: its CLOSE tells */
		break;
	}
}

bool channel_message(struct host *host, struct reader *message)
{
	uint8_t type;
	uint32_t channel;

	reader_byte(message); /* padding, of which there is none */
	type = reader_byte(message);
	if (type < CHANNEL_OPEN_CONFIRMATION || type > CHANNEL_FAILURE)
		return !message->bad; /* a global request; the master answers those that ask */
	channel = reader_number(message);
	for (struct command *command = host->commands; command; command = command->next) {
		bool open = command->state != COMMAND_WAITING;

		if (open && command->channel == channel) {
			dispatch(command, type, message);
			break;
		}
	}
	return !message->bad;
}
