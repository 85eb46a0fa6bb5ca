/* SPDX-License-Identifier: Apache-2.0 */
/* What is told while hosts are at work: progress, the log, what a single host writes. */
#include "remoteturn.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

/* How often the log is told who has started and ended. */
#define TELL_NS 1000000000LL

void show_progress_open(struct execution *execution)
{
	const struct remote_order *order = execution->order;
	size_t steps = order->names.count * (order->async ? order->command_count : 1);

	if (!order->show_progress || order->names.count == 1)
		return;
	execution->progress = spk_progress_open(
		execution->spk, SPK_BAR, order->commands[execution->phase].shown, (long long)steps);
	execution->shown_ended = execution->shown_busy = 0;
}

void show_progress(struct execution *execution)
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

void show_progress_close(struct execution *execution)
{
	spk_progress_close(execution->progress);
	execution->progress = NULL;
}

void show_log(struct execution *execution, bool all)
{
	const struct remote_order *order = execution->order;
	size_t most = order->names.count;

	if (execution->started_count + execution->ended_count == 0 ||
	    (!all && uptime_ns() < execution->tell_ns && execution->started_count < most &&
	     execution->ended_count < most))
		return;
	if (execution->started_count)
		spk_debug(execution->spk, "started on %s",
			  remote_fold(order, execution->told_started, execution->started_count));
	if (execution->ended_count)
		spk_debug(execution->spk, "ended on %s",
			  remote_fold(order, execution->told_ended, execution->ended_count));
	execution->started_count = execution->ended_count = 0;
	execution->tell_ns = uptime_ns() + TELL_NS;
}

void show_live(struct execution *execution)
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
	if (execution_is_live(execution))
		turn_balance(&execution->turns[0]);
}

void show_live_all(struct execution *execution)
{
	while (execution->live.length > 0) {
		struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

		session_poll(execution->spk, &out, 1, INT64_MAX);
		show_live(execution);
	}
}
