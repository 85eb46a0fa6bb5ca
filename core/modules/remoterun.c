/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of an execution: whose turn it is, the clock, and the ways out. */
#include "remoteturn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../runtime/fd.h"
#include "../runtime/guard.h"
#include "../runtime/mem.h"
#include "../runtime/protocol.h"
#include "../runtime/wire.h"
#include "remotewrap.h"

/* So much of a command stands in the journal. */
#define JOURNAL_MAX 1000

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- giving turns ---- */

/* Those that go on keep their places; then others, as far as there are places. */
static void begin_more(struct execution *execution)
{
	size_t count = execution->again_count;

	execution->again_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct turn *turn = execution->again[i];

		if (execution->stopped)
			plan_window_leave(&execution->window, uptime_ns());
		else
			turn_begin(turn, turn->command + 1);
	}
	while (!execution->stopped && execution->next < execution->order->names.count) {
		struct turn *turn = &execution->turns[execution->next];

		if (!turn->failed && !plan_window_take(&execution->window, uptime_ns()))
			break;
		execution->next++;
		if (!turn->failed)
			turn_begin(turn, execution->phase);
	}
}

/* ---- the loop ---- */

static void end_all(struct execution *execution, enum why why)
{
	execution->stopped = true;
	for (size_t i = execution->busy_count; i-- > 0;)
		turn_end(execution->busy[i], why);
}

static void look_at_clock(struct execution *execution)
{
	int64_t time = uptime_ns();

	for (size_t i = execution->busy_count; i-- > 0;) {
		struct turn *turn = execution->busy[i];

		if (time < turn->deadline_ns)
			continue;
		if (turn->why)
			turn_give_up(turn);
		else
			turn_end(turn, WHY_TIMEOUT);
	}
	if (time >= execution->total_ns) {
		execution->total_ns = INT64_MAX;
		end_all(execution, WHY_TOTAL);
	}
	if (time < execution->beat_ns)
		return;
	for (size_t i = 0; i < execution->busy_count; i++)
		if (execution->busy[i]->started && !execution->busy[i]->why)
			turn_beat(execution->busy[i]);
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

static void go_once(struct execution *execution)
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
		show_log(execution, false);
		go_once(execution);
	}
}

/* ---- all of it ---- */

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
	show_progress_open(execution);
	go_round(execution);
	show_progress_close(execution);
	plan_window_close(&execution->window);
	show_log(execution, true);
	show_live_all(execution);
}

static void do_all(struct spk *spk, void *argument)
{
	struct execution *execution = argument;
	const struct remote_order *order = execution->order;

	execution->link = remote_link_open(spk, &turn_calls);
	if (order->user && !execution->link->names_users)
		spk_raise(spk, "remote.transport", NULL,
			  "the transport %s logs in as configured, not as '%s': it is older than "
			  "this host",
			  execution->link->driver->driver.name, order->user);
	if (order->directory && mkdir(order->directory, 0777) < 0 && errno != EEXIST)
		spk_raise(spk, "remote.files", NULL, "cannot make the directory '%s': %s",
			  order->directory, strerrordesc_np(errno));
	remote_report_start(order);
	execution->began_ns = uptime_ns();
	execution->total_ns = time_after(execution->began_ns, order->total_timeout_ns);
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
		go_once(execution);
	show_log(execution, true);
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
	wire_put_number(&body, (uint64_t)(uptime_ns() - execution->began_ns));
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
		show_progress_close(&execution);
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
