/* SPDX-License-Identifier: Apache-2.0 */
/* The turn of one host: what goes to its command, and what comes of it. */
#include "remoteturn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../runtime/fd.h"
#include "../runtime/mem.h"
#include "remotewrap.h"

/* So long a command has to end when it was told to; a little more than its watcher waits. */
#define ENDING_NS 5000000000LL
/* So much of what one host writes may wait for the terminal. */
#define LIVE_MAX (256U << 10)
#define LIVE_LOW (64U << 10)

static const struct {
	enum spk_remote_end end;
	const char *reason;
} whys[] = {
	[WHY_TIMEOUT] = {SPK_REMOTE_TIMED_OUT, "it did not end in time"},
	[WHY_TOTAL] = {SPK_REMOTE_TIMED_OUT, "the time for all of it was over"},
	[WHY_INTERRUPTED] = {SPK_REMOTE_LOST, "it was interrupted"},
};

/* ---- what goes to a command ---- */

static bool feed(struct turn *turn, const char *bytes, size_t length, size_t *sent)
{
	size_t taken = turn->execution->link->driver->feed(turn->handle, bytes, length);

	*sent += taken;
	return taken == length;
}

/* Hands over as much as is taken: words for the watcher, and the input in frames. */
static void push(struct turn *turn)
{
	const struct remote_order *order = turn->execution->order;

	for (;;) {
		size_t left = turn->words.length - turn->words_sent, sent = turn->input_sent;

		if (left > 0) {
			if (!feed(turn, turn->words.text + turn->words_sent, left,
				  &turn->words_sent))
				return;
		} else if (turn->frame_left > 0) {
			bool all = feed(turn, order->input + sent, turn->frame_left,
					&turn->input_sent);

			turn->frame_left -= turn->input_sent - sent;
			if (!all)
				return;
		} else if (sent < order->input_length) {
			turn->frame_left = order->input_length - sent;
			if (turn->frame_left > WRAP_FRAME)
				turn->frame_left = WRAP_FRAME;
			buf_clear(&turn->words);
			turn->words_sent = 0;
			wrap_frame(turn->frame_left, &turn->words);
		} else if (order->input_length > 0 && !turn->input_ended) {
			turn->input_ended = true;
			wrap_input_end(&turn->words);
		} else {
			buf_clear(&turn->words);
			turn->words_sent = 0;
			return;
		}
	}
}

void turn_beat(struct turn *turn)
{
	/* What is on its way is a word, too. */
	if (turn->words.length > 0 || turn->frame_left > 0)
		return;
	wrap_beat(&turn->words);
	push(turn);
}

/* ---- what comes of it ---- */

static void break_off(struct execution *execution, const char *path)
{
	if (!execution->broken)
		err_errno(&execution->err, "cannot write to '%s'", path);
	execution->broken = true;
}

static const char *name_of(const struct turn *turn)
{
	return turn->execution->order->names.items[turn->host];
}

static int open_file(struct turn *turn, const char *suffix)
{
	char *path = xasprintf("%s/%s%s", turn->execution->order->directory, name_of(turn), suffix);
	int fd = open(path,
		      O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_APPEND |
			      (turn->has_files ? 0 : O_TRUNC),
		      0666);

	if (fd < 0)
		break_off(turn->execution, path);
	free(path);
	return fd;
}

static void write_file(struct turn *turn, int fd, const char *bytes, size_t length)
{
	while (fd >= 0 && length > 0 && !turn->execution->broken) {
		ssize_t put = write(fd, bytes, length);

		if (put < 0 && errno != EINTR)
			break_off(turn->execution, turn->execution->order->directory);
		if (put > 0) {
			bytes += put;
			length -= (size_t)put;
		}
	}
}

void turn_balance(struct turn *turn)
{
	struct execution *execution = turn->execution;
	size_t waiting = execution->live.length - execution->live_sent;
	bool hold = waiting > (turn->held ? LIVE_LOW : LIVE_MAX);

	if (!turn->handle || hold == turn->held)
		return;
	turn->held = hold;
	execution->link->driver->hold(turn->handle, hold);
}

static void on_output(void *data, int stream, const char *bytes, size_t length)
{
	struct turn *turn = data;
	struct execution *execution = turn->execution;
	bool error = stream == 2;

	capture_add(error ? &turn->err : &turn->out, &execution->blobs, bytes, length,
		    execution->order->output_limit);
	write_file(turn, error ? turn->err_fd : turn->out_fd, bytes, length);
	if (!execution_is_live(execution))
		return;
	lines_add(error ? &execution->err_lines : &execution->out_lines, bytes, length, false,
		  &execution->live);
	turn_balance(turn);
}

static void on_started(void *data)
{
	struct turn *turn = data;
	struct execution *execution = turn->execution;

	turn->started = true;
	turn->began_ns = uptime_ns();
	if (!turn->why)
		turn->deadline_ns = time_after(
			turn->began_ns, execution->order->commands[turn->command].timeout_ns);
	execution->told_started[execution->started_count++] = turn->host;
	push(turn);
}

static void on_room(void *data)
{
	push(data);
}

static bool is_accepted(const struct order_command *command, int code)
{
	if (command->any_code)
		return true;
	if (command->accepted.count == 0)
		return code == 0;
	for (size_t i = 0; i < command->accepted.count; i++)
		if (command->accepted.items[i] == code)
			return true;
	return false;
}

static const enum spk_remote_end kinds[] = {
	[SPK_TRANSPORT_SIGNALLED] = SPK_REMOTE_SIGNALLED,
	[SPK_TRANSPORT_UNREACHABLE] = SPK_REMOTE_UNREACHABLE,
	[SPK_TRANSPORT_HOST_KEY] = SPK_REMOTE_HOST_KEY,
	[SPK_TRANSPORT_DENIED] = SPK_REMOTE_DENIED,
	[SPK_TRANSPORT_LOST] = SPK_REMOTE_LOST,
	[SPK_TRANSPORT_UNSUPPORTED] = SPK_REMOTE_UNSUPPORTED,
	[SPK_TRANSPORT_FAILED] = SPK_REMOTE_ERROR,
};

static void judge(struct turn *turn, struct remote_record *record,
		  const struct spk_transport_end *end)
{
	const struct order_command *command = &turn->execution->order->commands[turn->command];

	if (end->kind == SPK_TRANSPORT_EXITED) {
		record->exit_code = end->exit_code & 0xff;
		record->end = is_accepted(command, record->exit_code) ? SPK_REMOTE_OK
								      : SPK_REMOTE_FAILED;
		if (record->end == SPK_REMOTE_FAILED)
			record->reason = xasprintf("exit code %d", record->exit_code);
	} else if (end->kind == SPK_TRANSPORT_SIGNALLED) {
		const char *name = end->signal ? end->signal : "?";

		record->end = SPK_REMOTE_SIGNALLED;
		snprintf(record->signal, sizeof(record->signal), "%s", name);
		record->reason = xasprintf("ended by signal %s", record->signal);
	} else {
		record->end = end->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[end->kind]
									   : SPK_REMOTE_ERROR;
		record->reason = xstrdup(end->reason ? end->reason : "it failed");
	}
}

static void leave(struct turn *turn)
{
	struct execution *execution = turn->execution;

	execution->busy[turn->place] = execution->busy[--execution->busy_count];
	execution->busy[turn->place]->place = turn->place;
	turn->handle = NULL;
}

/* Whether the host goes on with its next command, in its place, and whether others get a turn. */
static void decide(struct turn *turn, const struct remote_record *record)
{
	struct execution *execution = turn->execution;
	const struct remote_order *order = execution->order;

	turn->failed = record->end != SPK_REMOTE_OK;
	execution->failed += turn->failed;
	execution->ended++;
	execution->told_ended[execution->ended_count++] = turn->host;
	if (order->names.count - execution->failed < order->needed)
		execution->stopped = true;
	if (order->async && !turn->failed && turn->command + 1 < order->command_count)
		execution->again[execution->again_count++] = turn;
	else
		plan_window_leave(&execution->window, uptime_ns());
}

/* What is kept of the command's streams, when it is over. */
static void settle(struct turn *turn, struct remote_record *record)
{
	struct execution *execution = turn->execution;

	record->took_ns = turn->started ? uptime_ns() - turn->began_ns : 0;
	record->out_total = turn->out.total;
	record->err_total = turn->err.total;
	record->out = capture_end(&turn->out, &execution->blobs);
	record->err = capture_end(&turn->err, &execution->blobs);
	turn->out = turn->err = (struct capture){0};
	fd_close(&turn->out_fd);
	fd_close(&turn->err_fd);
	buf_free(&turn->words);
	turn->words_sent = 0;
	if (execution_is_live(execution)) {
		lines_add(&execution->out_lines, "", 0, true, &execution->live);
		lines_add(&execution->err_lines, "", 0, true, &execution->live);
	}
}

static void finish(struct turn *turn, const struct spk_transport_end *end)
{
	struct remote_record *record = record_of(&turn->execution->records, turn->host,
						 turn->command);

	if (turn->why) {
		record->end = whys[turn->why].end;
		record->reason = xstrdup(whys[turn->why].reason);
	} else {
		judge(turn, record, end);
	}
	settle(turn, record);
	leave(turn);
	decide(turn, record);
}

static void on_ended(void *data, const struct spk_transport_end *end)
{
	finish(data, end);
}

const struct spk_transport_calls turn_calls = {
	.size = sizeof(turn_calls),
	.started = on_started,
	.output = on_output,
	.room = on_room,
	.ended = on_ended,
};

/* ---- its begin and its end ---- */

void turn_begin(struct turn *turn, size_t command)
{
	struct execution *execution = turn->execution;
	const struct remote_order *order = execution->order;
	struct spk_reason_buffer reason = {""};
	const struct spk_transport_command what = {
		.size = sizeof(what),
		.input = 1,
		.host = name_of(turn),
		.command = buf_text(&execution->lines[command]),
		.connect_timeout_ns = order->connect_timeout_ns,
		.data = turn,
		.user = order->user,
	};

	turn->command = command;
	turn->why = WHY_NOT;
	turn->started = turn->held = turn->input_ended = false;
	turn->deadline_ns = INT64_MAX;
	turn->input_sent = turn->frame_left = turn->words_sent = 0;
	turn->place = execution->busy_count;
	execution->busy[execution->busy_count++] = turn;
	if (order->directory) {
		turn->out_fd = open_file(turn, ".out");
		turn->err_fd = open_file(turn, ".err");
		turn->has_files = true;
	}
	turn->handle = execution->link->driver->start(execution->link->transport, &what, &reason);
	if (!turn->handle) {
		const struct spk_transport_end end = {
			.size = sizeof(end),
			.kind = SPK_TRANSPORT_FAILED,
			.reason = reason.text,
		};

		finish(turn, &end);
		return;
	}
	wrap_host(turn->host, &turn->words);
	buf_add(&turn->words, execution->heads[command].text, execution->heads[command].length);
	push(turn);
}

/* Tells a command to end; its watcher does it. */
static void tell_to_end(struct turn *turn, enum why why)
{
	if (turn->why)
		return;
	turn->why = why;
	turn->deadline_ns = uptime_ns() + ENDING_NS;
	turn->execution->link->driver->finish(turn->handle);
}

void turn_give_up(struct turn *turn)
{
	turn->execution->link->driver->abandon(turn->handle);
	finish(turn, NULL);
}

void turn_end(struct turn *turn, enum why why)
{
	if (turn->started) {
		tell_to_end(turn, why);
		return;
	}
	turn->why = why;
	turn_give_up(turn);
}
