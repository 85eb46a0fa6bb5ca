/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One state machine: the turns of hosts, what the transport says of them, and the clock. Its parts
 * share all of the state, so they stand together.
 */
#include "remoterun.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../runtime/fd.h"
#include "../runtime/guard.h"
#include "../runtime/mem.h"
#include "../runtime/protocol.h"
#include "../runtime/wire.h"
#include "remotelink.h"
#include "remoteplan.h"
#include "remotewrap.h"

/* So long a command has to end when it was told to; a little more than its watcher waits. */
#define ENDING_NS 5000000000LL
/* So much of what one host writes may wait for the terminal. */
#define LIVE_MAX (256U << 10)
#define LIVE_LOW (64U << 10)
/* So much of a command stands in the journal. */
#define JOURNAL_MAX 1000
/* How often the log is told who has started and ended. */
#define TELL_NS 1000000000LL

/* Why a command was told to end. */
enum why { WHY_NOT, WHY_TIMEOUT, WHY_TOTAL, WHY_INTERRUPTED };

static const struct {
	enum spk_remote_end end;
	const char *reason;
} whys[] = {
	[WHY_TIMEOUT] = {SPK_REMOTE_TIMED_OUT, "it did not end in time"},
	[WHY_TOTAL] = {SPK_REMOTE_TIMED_OUT, "the time for all of it was over"},
	[WHY_INTERRUPTED] = {SPK_REMOTE_LOST, "it was interrupted"},
};

/* One host on its way through the commands. */
struct turn {
	struct execution *execution;
	size_t host, command; /* their numbers */
	void *handle;         /* of the transport; NULL: nothing runs there */
	bool failed;
	bool started, held;
	enum why why; /* it was told to end */
	int64_t began_ns, deadline_ns;
	struct capture out, err;
	int out_fd, err_fd; /* files; -1: none */
	bool has_files;     /* they were begun by an earlier command */
	struct buf words;   /* for the watcher, those sent first */
	size_t words_sent, input_sent, frame_left;
	bool input_ended;
	size_t place; /* in execution->busy */
};

struct execution {
	const struct remote_order *order;
	struct spk *spk;
	const struct remote_link *link;
	struct remote_records records;
	struct blobs blobs;
	struct turn *turns, **busy, **again;
	size_t busy_count, again_count, next, failed, ended;
	struct plan_window window;
	bool stopped;              /* nobody else gets a turn */
	struct buf *heads, *lines; /* of each command: for its standard input, and its line */
	int64_t began_ns;          /* 0: it has not */
	int64_t beat_ns, tell_ns, total_ns; /* when they are due */
	struct lines out_lines, err_lines;
	struct buf live; /* of a single host, for the terminal */
	size_t live_sent;
	/* For the log: room for two rounds of all hosts, and two while it winds down. */
	size_t *told_started, *told_ended, started_count, ended_count;
	struct spk_progress *progress;
	size_t shown_ended, shown_failed, shown_busy;
	bool broken, closing;
	struct err err; /* what is wrong with our own side */
	size_t phase;   /* the command of all, when they are in step */
	const struct spk_remote_results *results;
};

static int64_t now(void)
{
	return spk_uptime().ns;
}

static int64_t after(int64_t time, int64_t ns)
{
	int64_t sum;

	return __builtin_add_overflow(time, ns, &sum) ? INT64_MAX : sum;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool is_live(const struct execution *execution)
{
	return execution->order->show_output && execution->order->names.count == 1;
}

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

static void beat(struct turn *turn)
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

/* Lets the one host wait whose output the terminal does not take. */
static void balance(struct turn *turn)
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
	if (!is_live(execution))
		return;
	lines_add(error ? &execution->err_lines : &execution->out_lines, bytes, length, false,
		  &execution->live);
	balance(turn);
}

static void on_started(void *data)
{
	struct turn *turn = data;
	struct execution *execution = turn->execution;

	turn->started = true;
	turn->began_ns = now();
	if (!turn->why)
		turn->deadline_ns = after(turn->began_ns,
					  execution->order->commands[turn->command].timeout_ns);
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
		plan_window_leave(&execution->window, now());
}

/* What is kept of the command's streams, when it is over. */
static void settle(struct turn *turn, struct remote_record *record)
{
	struct execution *execution = turn->execution;

	record->took_ns = turn->started ? now() - turn->began_ns : 0;
	record->out_total = turn->out.total;
	record->err_total = turn->err.total;
	record->out = capture_end(&turn->out, &execution->blobs);
	record->err = capture_end(&turn->err, &execution->blobs);
	turn->out = turn->err = (struct capture){0};
	fd_close(&turn->out_fd);
	fd_close(&turn->err_fd);
	buf_free(&turn->words);
	turn->words_sent = 0;
	if (is_live(execution)) {
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

static const struct spk_transport_calls calls = {
	.size = sizeof(calls),
	.started = on_started,
	.output = on_output,
	.room = on_room,
	.ended = on_ended,
};

/* ---- giving turns ---- */

static void begin(struct turn *turn, size_t command)
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

/* Those that go on keep their places; then others, as far as there are places. */
static void begin_more(struct execution *execution)
{
	size_t count = execution->again_count;

	execution->again_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct turn *turn = execution->again[i];

		if (execution->stopped)
			plan_window_leave(&execution->window, now());
		else
			begin(turn, turn->command + 1);
	}
	while (!execution->stopped && execution->next < execution->order->names.count) {
		struct turn *turn = &execution->turns[execution->next];

		if (!turn->failed && !plan_window_take(&execution->window, now()))
			break;
		execution->next++;
		if (!turn->failed)
			begin(turn, execution->phase);
	}
}

/* ---- what the operator is told meanwhile ---- */

static void show_progress(struct execution *execution)
{
	const struct remote_order *order = execution->order;
	size_t ok = execution->ended - execution->failed;

	if (!execution->progress || (execution->shown_ended == execution->ended &&
				     execution->shown_busy == execution->busy_count))
		return;
	spk_progress_label(execution->progress, "%s: %zu ok, %zu failed, %zu running",
			   order->commands[execution->phase].shown, ok, execution->failed,
			   execution->busy_count);
	spk_progress_step(execution->progress,
			  (long long)execution->ended - (long long)execution->shown_ended);
	execution->shown_ended = execution->ended;
	execution->shown_busy = execution->busy_count;
}

/* The log, at most once a second unless there is much: a run that is killed leaves it behind. */
static void tell_log(struct execution *execution, bool all)
{
	const struct remote_order *order = execution->order;
	size_t most = order->names.count;

	if (execution->started_count + execution->ended_count == 0 ||
	    (!all && now() < execution->tell_ns && execution->started_count < most &&
	     execution->ended_count < most))
		return;
	if (execution->started_count)
		spk_debug(execution->spk, "started on %s",
			  remote_fold(order, execution->told_started, execution->started_count));
	if (execution->ended_count)
		spk_debug(execution->spk, "ended on %s",
			  remote_fold(order, execution->told_ended, execution->ended_count));
	execution->started_count = execution->ended_count = 0;
	execution->tell_ns = now() + TELL_NS;
}

/* Writes as much as the terminal, or whatever it is, takes without waiting. */
static void show_live(struct execution *execution)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	while (execution->live_sent < execution->live.length && poll(&out, 1, 0) > 0) {
		size_t left = execution->live.length - execution->live_sent;
		ssize_t put = write(STDOUT_FILENO, execution->live.text + execution->live_sent,
				    left < PIPE_BUF ? left : PIPE_BUF);

		/* Nobody reads it any more. */
		if (put < 0 && errno != EINTR && errno != EAGAIN)
			put = (ssize_t)left;
		if (put > 0)
			execution->live_sent += (size_t)put;
	}
	if (execution->live_sent == execution->live.length) {
		buf_clear(&execution->live);
		execution->live_sent = 0;
	}
	if (is_live(execution))
		balance(&execution->turns[0]);
}

/* ---- the loop ---- */

/* Tells a command to end; its watcher does it. */
static void tell_to_end(struct turn *turn, enum why why)
{
	if (turn->why)
		return;
	turn->why = why;
	turn->deadline_ns = now() + ENDING_NS;
	turn->execution->link->driver->finish(turn->handle);
}

/* One that did not end although it was told to, or that has not even begun. */
static void give_up(struct turn *turn)
{
	turn->execution->link->driver->abandon(turn->handle);
	finish(turn, NULL);
}

static void end_turn(struct turn *turn, enum why why)
{
	if (turn->started) {
		tell_to_end(turn, why);
		return;
	}
	turn->why = why;
	give_up(turn);
}

static void end_all(struct execution *execution, enum why why)
{
	execution->stopped = true;
	for (size_t i = execution->busy_count; i-- > 0;)
		end_turn(execution->busy[i], why);
}

static void look_at_clock(struct execution *execution)
{
	int64_t time = now();

	for (size_t i = execution->busy_count; i-- > 0;) {
		struct turn *turn = execution->busy[i];

		if (time < turn->deadline_ns)
			continue;
		if (turn->why)
			give_up(turn);
		else
			end_turn(turn, WHY_TIMEOUT);
	}
	if (time >= execution->total_ns) {
		execution->total_ns = INT64_MAX;
		end_all(execution, WHY_TOTAL);
	}
	if (time < execution->beat_ns)
		return;
	for (size_t i = 0; i < execution->busy_count; i++)
		if (execution->busy[i]->started && !execution->busy[i]->why)
			beat(execution->busy[i]);
	execution->beat_ns = time + WRAP_BEAT.ns;
}

static int64_t next_time(const struct execution *execution)
{
	int64_t time = earlier(execution->beat_ns, execution->total_ns);

	time = earlier(time, plan_window_ready(&execution->window));
	time = earlier(time, execution->link->driver->deadline(execution->link->transport));
	if (execution->started_count + execution->ended_count)
		time = earlier(time, execution->tell_ns);
	for (size_t i = 0; i < execution->busy_count; i++)
		time = earlier(time, execution->busy[i]->deadline_ns);
	return time;
}

static void turn_round(struct execution *execution)
{
	const struct remote_link *link = execution->link;
	struct pollfd fds[2] = {
		{.fd = link->driver->fd(link->transport), .events = POLLIN},
		{.fd = execution->live.length ? STDOUT_FILENO : -1, .events = POLLOUT},
	};

	session_poll(execution->spk, fds, 2, next_time(execution));
	link->driver->dispatch(link->transport);
	look_at_clock(execution);
	show_live(execution);
	if (execution->broken && !execution->closing)
		spk_raise(execution->spk, "remote.files", NULL, "%s", execution->err.text);
}

/* Until nobody is at work and nobody else gets a turn. */
static void go_round(struct execution *execution)
{
	for (;;) {
		begin_more(execution);
		if (execution->busy_count == 0 &&
		    (execution->stopped || execution->next == execution->order->names.count))
			return;
		show_progress(execution);
		tell_log(execution, false);
		turn_round(execution);
	}
}

/* ---- all of it ---- */

static void open_progress(struct execution *execution)
{
	const struct remote_order *order = execution->order;
	size_t steps = order->names.count * (order->async ? order->command_count : 1);

	if (!order->show_progress || order->names.count == 1)
		return;
	execution->progress = spk_progress_open(
		execution->spk, SPK_BAR, order->commands[execution->phase].shown, (long long)steps);
	execution->shown_ended = execution->shown_busy = 0;
}

static void close_progress(struct execution *execution)
{
	spk_progress_close(execution->progress);
	execution->progress = NULL;
}

/* The rest of what one host wrote, whatever the terminal makes of it. */
static void finish_live(struct execution *execution)
{
	while (execution->live.length > 0) {
		struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

		session_poll(execution->spk, &out, 1, INT64_MAX);
		show_live(execution);
	}
}

static size_t count_ok(const struct execution *execution, size_t command)
{
	size_t ok = 0;

	for (size_t i = 0; i < execution->order->names.count; i++)
		ok += record_of(&execution->records, i, command)->end == SPK_REMOTE_OK;
	return ok;
}

static void report(struct execution *execution, size_t command)
{
	remote_report_command(&execution->records, command);
	remote_report_ratio(execution->order, command, count_ok(execution, command));
}

/* One command on all hosts that have not failed yet; in async mode all commands. */
static void do_phase(struct execution *execution)
{
	const struct remote_order *order = execution->order;
	const size_t fanout = execution->link->fanout;

	plan_window_open(&execution->window, order->batch < fanout ? order->batch : fanout,
			 order->batch_sleep_ns);
	execution->next = 0;
	execution->ended = execution->failed;
	open_progress(execution);
	go_round(execution);
	close_progress(execution);
	plan_window_close(&execution->window);
	tell_log(execution, true);
	finish_live(execution);
}

static void do_all(struct spk *spk, void *argument)
{
	struct execution *execution = argument;
	const struct remote_order *order = execution->order;

	execution->link = remote_link_open(spk, &calls);
	if (order->user && !execution->link->names_users)
		spk_raise(spk, "remote.transport", NULL,
			  "the transport %s logs in as configured, not as '%s': it is older than "
			  "this host",
			  execution->link->driver->driver.name, order->user);
	if (order->directory && mkdir(order->directory, 0777) < 0 && errno != EEXIST)
		spk_raise(spk, "remote.files", NULL, "cannot make the directory '%s': %s",
			  order->directory, strerrordesc_np(errno));
	remote_report_start(order);
	execution->began_ns = now();
	execution->total_ns = after(execution->began_ns, order->total_timeout_ns);
	execution->beat_ns = execution->began_ns + WRAP_BEAT.ns;
	for (size_t i = 0; i < (order->async ? 1 : order->command_count); i++) {
		if (execution->stopped)
			break;
		execution->phase = i;
		do_phase(execution);
		if (!order->async)
			report(execution, i);
	}
	for (size_t i = 0; order->async && i < order->command_count; i++)
		report(execution, i);
}

static void prepare(struct execution *execution)
{
	const struct remote_order *order = execution->order;
	size_t hosts = order->names.count;
	static uint64_t serial;

	/* Other than those of a process of this run that has crashed: what of it is being ended. */
	if (serial == 0)
		serial = (uint64_t)getpid() * 1000000;
	execution->records.order = order;
	execution->records.items = xcalloc(hosts * order->command_count,
					   sizeof(struct remote_record));
	execution->turns = xcalloc(hosts, sizeof(struct turn));
	execution->busy = xcalloc(hosts + 1, sizeof(struct turn *));
	execution->again = xcalloc(hosts + 1, sizeof(struct turn *));
	execution->told_started = xcalloc(hosts, 4 * sizeof(size_t));
	execution->told_ended = xcalloc(hosts, 4 * sizeof(size_t));
	execution->heads = xcalloc(order->command_count, sizeof(struct buf));
	execution->lines = xcalloc(order->command_count, sizeof(struct buf));
	blobs_init(&execution->blobs);
	for (size_t i = 0; i < hosts; i++)
		execution->turns[i] = (struct turn){
			.execution = execution, .host = i, .out_fd = -1, .err_fd = -1};
	for (size_t i = 0; i < hosts * order->command_count; i++)
		execution->records.items[i].exit_code = -1;
	for (size_t i = 0; i < order->command_count; i++) {
		const struct wrap wrap = {
			.run = execution->spk->order.run ? execution->spk->order.run : "unknown",
			.serial = ++serial,
			.command = order->commands[i].text,
			.environment = order->environment,
			.input_length = order->input_length,
			.sudo = order->sudo,
			.detached = order->detached,
		};

		wrap_make(&wrap, &execution->lines[i], &execution->heads[i]);
	}
}

static void clean_up(struct execution *execution)
{
	const struct remote_order *order = execution->order;
	size_t hosts = order->names.count;

	for (size_t i = 0; i < hosts; i++) {
		capture_free(&execution->turns[i].out);
		capture_free(&execution->turns[i].err);
		fd_close(&execution->turns[i].out_fd);
		fd_close(&execution->turns[i].err_fd);
		buf_free(&execution->turns[i].words);
	}
	for (size_t i = 0; i < hosts * order->command_count; i++)
		free(execution->records.items[i].reason);
	for (size_t i = 0; i < order->command_count; i++) {
		buf_free(&execution->heads[i]);
		buf_free(&execution->lines[i]);
	}
	plan_window_close(&execution->window);
	blobs_free(&execution->blobs);
	lines_free(&execution->out_lines);
	lines_free(&execution->err_lines);
	buf_free(&execution->live);
	free(execution->records.items);
	free(execution->turns);
	free(execution->busy);
	free(execution->again);
	free(execution->told_started);
	free(execution->told_ended);
	free(execution->heads);
	free(execution->lines);
}

/*
 * An error passes by: what runs is told to end, and has its time for that. What comes next, perhaps
 * a rollback, must not meet it.
 */
static void wind_down(struct spk *spk, void *argument)
{
	struct execution *execution = argument;

	if (!execution->link)
		return;
	execution->closing = true;
	end_all(execution, WHY_INTERRUPTED);
	while (execution->busy_count > 0)
		turn_round(execution);
	tell_log(execution, true);
	remote_report_interrupted(&execution->records, execution->phase);
}

/* What is still there when even that did not work. */
static void abandon_all(struct execution *execution)
{
	while (execution->busy_count > 0) {
		struct turn *turn = execution->busy[--execution->busy_count];

		execution->link->driver->abandon(turn->handle);
	}
}

static void make_results(struct spk *spk, void *argument)
{
	struct execution *execution = argument;

	execution->results = remote_results_make(execution->order, &execution->records);
}

/* The journal, which was told of the hosts before. */
static void tell_journal(struct spk *spk, void *argument)
{
	const struct execution *execution = argument;
	const struct remote_order *order = execution->order;
	spk_strings commands = {0};
	struct buf body = {0};

	if (!execution->began_ns)
		return;
	for (size_t i = 0; i < order->command_count; i++) {
		const char *text = order->commands[i].text;

		spk_append(spk, &commands,
			   spk_format(spk, "%.*s%s", JOURNAL_MAX, text,
				      strlen(text) > JOURNAL_MAX ? "..." : ""));
	}
	wire_put_texts(&body, commands);
	wire_put_number(&body, order->names.count);
	wire_put_number(&body, count_ok(execution, order->command_count - 1));
	wire_put_number(&body, execution->failed);
	wire_put_number(&body, (uint64_t)(now() - execution->began_ns));
	session_tell(spk, REQUEST_EXECUTED, &body);
	buf_free(&body);
}

const struct spk_remote_results *remote_run(const struct remote_order *order)
{
	struct execution execution = {.order = order, .spk = order->spk};
	const struct spk_error *error;

	session_check_interrupt(order->spk);
	prepare(&execution);
	/* Memory and commands are this process's own: let go of on every way out. */
	error = guard_call(order->spk, do_all, &execution, false);
	if (error) {
		close_progress(&execution);
		order->spk->uninterruptible++;
		(void)guard_call(order->spk, wind_down, &execution, false);
		order->spk->uninterruptible--;
	} else {
		error = guard_call(order->spk, make_results, &execution, false);
	}
	order->spk->uninterruptible++;
	(void)guard_call(order->spk, tell_journal, &execution, false);
	order->spk->uninterruptible--;
	abandon_all(&execution);
	clean_up(&execution);
	if (error)
		guard_raise(order->spk, error);
	return execution.results;
}
