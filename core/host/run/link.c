/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "../../runtime/descendants.h"
#include "../../runtime/fd.h"
#include "requests.h"
#include "runnerstart.h"
#include "signals.h"

#define ANSWER_TIMEOUT_NS 30000000000LL
/* How long the runner may take to tell a death; it may have been stopped. */
#define DEATH_TIMEOUT_NS 10000000000LL
#define QUIT_TRIES 20000 /* of 0.1 ms */
/* With --in-process: a debugger may have stopped it, valgrind looks for leaks at its end. */
#define QUIT_TRIES_IN_PROCESS (300 * QUIT_TRIES)
/* Of outer links: child and runner each. */
#define OUTER_FDS ((size_t)2 * (NESTED_DEPTH_MAX - 1))

void link_trace_read(struct wire_reader *body, struct link_trace *trace, bool with_return)
{
	size_t count = wire_get_count(body);

	trace->count = 0;
	for (size_t i = 0; i < count; i++) {
		uintptr_t address = wire_get_number(body);
		bool is_return = with_return ? wire_get_number(body) != 0 : true;

		if (trace->count < sizeof(trace->addresses) / sizeof(trace->addresses[0])) {
			trace->addresses[trace->count] = address;
			trace->is_return[trace->count++] = is_return;
		}
	}
}

static void child_ended(struct link *link)
{
	link->child_alive = false;
	progress_clear(&link->output.progress, link->output.log);
	link->death_due_ns = 0;
	fd_close(&link->child_fd);
}

static bool on_gone(struct link *link, struct message *message)
{
	struct child_death *death = &link->event.death;
	const char *stage;

	death->status = (int)wire_get_number(&message->body);
	death->signal = (int)wire_get_number(&message->body);
	death->code = (int)(int64_t)wire_get_number(&message->body);
	death->fault_address = wire_get_number(&message->body);
	death->stack_pointer = wire_get_number(&message->body);
	stage = wire_get_text(&message->body);
	snprintf(death->stage, sizeof(death->stage), "%s", stage ? stage : "");
	link_trace_read(&message->body, &death->trace, true);
	link->event.type = LINK_GONE;
	return wire_complete(&message->body) && stage;
}

static bool on_answer(struct link *link, struct message *message)
{
	link->event.type = LINK_ANSWER;
	link->event.answer = message->type;
	link->event.text = NULL;
	link->event.number = 0;
	/* What else another version may say is not looked at. */
	if (message->type == CONTROL_READY) {
		link->event.number = wire_get_number(&message->body);
		return true;
	}
	if (message->type == CONTROL_STARTED)
		link->event.number = wire_get_number(&message->body);
	else
		link->event.text = wire_get_text(&message->body);
	return wire_complete(&message->body);
}

static const struct link_event *told(struct link *link, enum link_event_type type)
{
	link->event.type = type;
	if (type == LINK_RESULT || type == LINK_GONE || type == LINK_RUNNER_GONE) {
		link->stage_ordered = false;
		progress_clear(&link->output.progress, link->output.log);
		output_drain(&link->output);
	}
	return &link->event;
}

/* What only its own user, or root, can end: who began the run has to know. */
static void tell_left(const struct link *link, const pid_t *spared, size_t count)
{
	struct buf names = {0};

	descendants_disown(spared, count, &names);
	if (names.length)
		log_warning(link->output.log,
			    "cookbook %s has left processes behind that cannot be ended: %s",
			    link->output.name, buf_text(&names));
	buf_free(&names);
}

/*
 * Kills the runner; with it goes all it started, which comes to us as the next subreaper. The
 * runners of the outer runs are spared.
 */
static void end_runner(struct link *link)
{
	pid_t spared[NESTED_DEPTH_MAX];
	size_t count = 0;

	for (const struct link *each = link->outer; each && count < NESTED_DEPTH_MAX;
	     each = each->outer)
		if (each->runner > 0)
			spared[count++] = each->runner;
	if (link->runner > 0)
		kill(link->runner, SIGKILL);
	if (descendants_kill(spared, count, 0, NULL) < 0)
		tell_left(link, spared, count);
	link->runner = 0;
}

static const struct link_event *runner_gone(struct link *link)
{
	end_runner(link);
	child_ended(link);
	return told(link, LINK_RUNNER_GONE);
}

static const struct link_event *on_control(struct link *link)
{
	struct message message;
	bool good;

	switch (channel_receive(&link->control, false, &message)) {
	case CHANNEL_NOTHING:
		return NULL;
	case CHANNEL_CLOSED:
		return runner_gone(link);
	case CHANNEL_MESSAGE:
		break;
	}
	if (message.type == CONTROL_GONE) {
		good = on_gone(link, &message);
		child_ended(link);
		channel_discard(&link->requests);
	} else {
		good = on_answer(link, &message);
	}
	if (!good)
		return runner_gone(link);
	return link->event.type == LINK_GONE ? told(link, LINK_GONE) : &link->event;
}

/* The child is dead or being killed: the runner, which may be stopped, has to tell it soon. */
static void expect_death(struct link *link)
{
	if (link->death_due_ns == 0)
		link->death_due_ns = spk_uptime().ns + DEATH_TIMEOUT_NS;
}

bool link_has_died(const struct link *link)
{
	struct pollfd fds[] = {
		{.fd = link->child_fd, .events = POLLIN},
		{.fd = link->control.fd}, /* for its hang-up */
	};

	return poll(fds, 2, 0) > 0;
}

/*
 * Has a poll notice the deaths of those that this link works for: two descriptors for each of the
 * outer links. Returns how many there are.
 */
static nfds_t watch_outer(const struct link *link, struct pollfd *fds)
{
	nfds_t count = 0;

	if (link->outer_death_told)
		return 0;
	for (const struct link *each = link->outer; each && count < OUTER_FDS; each = each->outer) {
		fds[count++] = (struct pollfd){.fd = each->child_fd, .events = POLLIN};
		fds[count++] = (struct pollfd){.fd = each->control.fd};
	}
	return count;
}

static bool any_ready(const struct pollfd *fds, nfds_t count)
{
	for (nfds_t i = 0; i < count; i++)
		if (fds[i].revents)
			return true;
	return false;
}

bool link_outer_has_died(struct link *link)
{
	struct pollfd fds[OUTER_FDS];
	nfds_t count = watch_outer(link, fds);

	if (count == 0 || poll(fds, count, 0) <= 0 || !any_ready(fds, count))
		return false;
	link->outer_death_told = true;
	return true;
}

/* In ns; INT64_MAX: for ever. */
static int64_t time_left(int64_t deadline_ns)
{
	return deadline_ns == INT64_MAX ? INT64_MAX : deadline_ns - spk_uptime().ns;
}

static void poll_for(struct pollfd *fds, nfds_t count, int64_t left_ns)
{
	struct timespec timeout = {0};

	if (left_ns > 0) {
		timeout.tv_sec = left_ns / 1000000000LL;
		timeout.tv_nsec = left_ns % 1000000000LL;
	}
	ppoll(fds, count, left_ns == INT64_MAX ? NULL : &timeout, NULL);
}

/*
 * What clients of the console have brought about: a signal, or another terminal, which only matters
 * to who asks there. Then the one before it is given back. True: it is an event.
 */
static bool take_console(struct link *link)
{
	struct console_wish wish;
	bool moved = console_has_moved(link->console);

	if (moved && link->asks_operator) {
		link->event.type = LINK_CONSOLE;
		return true;
	}
	console_bid_farewell(link->console);
	if (!console_next_wish(link->console, &wish))
		return false;
	link->event.type = LINK_SIGNAL;
	link->event.signal = wish.signal;
	link->event.kill = wish.kill;
	return true;
}

/* The signal that waits; 0: none that concerns the run. A durable one only loses its terminal. */
static int take_signal(struct link *link)
{
	int signal = signals_next(link->signal_fd);

	link->event.kill = false;
	if (signal != SIGHUP || !link->console)
		return signal;
	console_hang_up(link->console, "SIGHUP");
	return 0;
}

const struct link_event *link_wait(struct link *link, int64_t deadline_ns)
{
	enum {
		CONTROL,
		REQUESTS,
		SIGNALS,
		OUT,
		ERR,
		STDOUT,
		CHILD,
		TYPED,
		LOCKS,
		NOTIFY,
		CONSOLE,
		COUNT
	};
	struct output *output = &link->output;

	for (;;) {
		struct pollfd fds[COUNT + OUTER_FDS] = {
			[CONTROL] = {.fd = link->control.fd, .events = POLLIN},
			[REQUESTS] = {.fd = link->requests.fd, .events = POLLIN},
			[SIGNALS] = {.fd = link->signal_fd, .events = POLLIN},
			[OUT] = {.fd = output_wants_more(output) ? output->out_fd : -1,
				 .events = POLLIN},
			[ERR] = {.fd = output->err_fd, .events = POLLIN},
			[STDOUT] = {.fd = output_is_pending(output) ? STDOUT_FILENO : -1,
				    .events = POLLOUT},
			[CHILD] = {.fd = link->child_fd, .events = POLLIN},
			[TYPED] = {.fd = link->typed_fd, .events = POLLIN},
			[LOCKS] = {.fd = link->locks && !link->asking ? link->locks->news_fd : -1,
				   .events = POLLIN},
			[CONSOLE] = {.fd = console_fd(link->console), .events = POLLIN},
			[NOTIFY] = {.fd = notify_fd(link->notify), .events = POLLIN},
		};
		nfds_t outer = watch_outer(link, fds + COUNT);
		const struct link_event *event;
		int64_t until = deadline_ns;
		int64_t left, redraw_ns;

		if (take_console(link))
			return told(link, link->event.type);
		if (link->runner == 0)
			return told(link, LINK_RUNNER_GONE);
		if (link->stage_ordered && !link->child_alive)
			return told(link, LINK_GONE);
		if (link->death_due_ns && link->death_due_ns < until)
			until = link->death_due_ns;
		redraw_ns = progress_draw(&output->progress, output->log);
		left = time_left(until);
		poll_for(fds, COUNT + outer, left < redraw_ns ? left : redraw_ns);
		if (fds[CONSOLE].revents)
			console_attend(link->console);
		if (fds[SIGNALS].revents) {
			link->event.signal = take_signal(link);
			if (link->event.signal)
				return told(link, LINK_SIGNAL);
		}
		if (fds[LOCKS].revents)
			return told(link, LINK_LOCKS);
		if (fds[NOTIFY].revents)
			notify_attend(link->notify);
		if (fds[OUT].revents || fds[STDOUT].revents)
			output_drain_out(&link->output);
		if (fds[ERR].revents)
			output_drain_err(&link->output);
		if (fds[REQUESTS].revents) {
			enum link_event_type type = requests_take(link);

			if (type == LINK_RUNNER_GONE)
				return runner_gone(link);
			if (type != LINK_ANSWER)
				return told(link, type);
			/* All that the child said comes before the news of its death. */
		} else if (fds[CONTROL].revents && (event = on_control(link))) {
			return event;
		}
		if (fds[CHILD].revents) {
			fd_close(&link->child_fd);
			expect_death(link);
		}
		if (any_ready(fds + COUNT, outer)) {
			link->outer_death_told = true;
			return told(link, LINK_OUTER_DEATH);
		}
		/* However much it has to say or prints, the deadline holds. */
		if (left <= 0)
			return until == link->death_due_ns ? runner_gone(link)
							   : told(link, LINK_TIMEOUT);
		if (fds[TYPED].revents)
			return told(link, LINK_TYPED);
	}
}

/*
 * Waits for a certain answer of the runner. -1: it is gone, or silent for too long. With `ret_stop`
 * a signal that asks for the end is not put off: the runner is killed and *ret_stop the signal.
 */
static int wait_answer(struct link *link, enum control_type first, enum control_type second,
		       int *ret_stop)
{
	int64_t deadline = spk_uptime().ns + ANSWER_TIMEOUT_NS;
	int signals[8];
	unsigned int count = 0;

	link->asking = true;
	for (;;) {
		const struct link_event *event = link_wait(link, deadline);

		if (event->type == LINK_SIGNAL && ret_stop && event->signal != SIGTSTP) {
			*ret_stop = event->signal;
			runner_gone(link);
			break;
		}
		if (event->type == LINK_SIGNAL && count < 8)
			signals[count++] = event->signal;
		if (event->type == LINK_RUNNER_GONE || event->type == LINK_TIMEOUT) {
			runner_gone(link);
			break;
		}
		if (event->type == LINK_ANSWER &&
		    (event->answer == (uint32_t)first || event->answer == (uint32_t)second))
			break;
	}
	link->asking = false;
	/* The operator's signals, and a death above, were not for us: they wait for the stage. */
	while (count > 0)
		kill(getpid(), signals[--count]);
	link->outer_death_told = false;
	return link->event.type == LINK_ANSWER ? 0 : -1;
}

int link_open(struct link *link, const char *runner, const struct run_order *order, struct log *log,
	      int signal_fd, struct link_failure *ret_failure, struct err *err)
{
	struct buf body = {0};
	int rc;

	*ret_failure = (struct link_failure){0};
	*link = (struct link){
		.outer = link->outer,
		.locks = link->locks,
		.notify = link->notify,
		.dryrun = link->dryrun,
		.events = link->events,
		.console = link->console,
		.control.fd = -1,
		.requests.fd = -1,
		.interrupt_fd = -1,
		.child_fd = -1,
		.in_process = order->in_process,
		.signal_fd = signal_fd,
		.typed_fd = -1,
		.output = {.out_fd = -1,
			   .err_fd = -1,
			   .events = link->events,
			   .log = log,
			   .name = order->name},
	};
	if (runner_start(link, runner, err) < 0)
		return -1;
	if (order->build_id)
		snprintf(link->build_id, sizeof(link->build_id), "%s", order->build_id);
	wire_put_number(&body, PROTOCOL_VERSION);
	wire_put_text(&body, SPICERACK_VERSION);
	order_write(order, &body);
	rc = channel_send(&link->control, CONTROL_INIT, 0, &body, LINK_SEND_TIMEOUT_MS);
	buf_free(&body);
	/* Nothing has begun: who waits for a file that does not open may stop waiting at once. */
	if (rc == 0)
		rc = wait_answer(link, CONTROL_READY, CONTROL_REFUSED, &ret_failure->stop_signal);
	if (ret_failure->stop_signal)
		return err_set(err, "%s: interrupted while opening it", order->file);
	if (rc < 0)
		return err_set(err,
			       "%s: the runner died, or was silent for too long, while opening it",
			       order->file);
	if (link->event.answer == CONTROL_REFUSED) {
		ret_failure->refused = true;
		return err_set(err, "%s", link->event.text ? link->event.text : "refused");
	}
	if (link->event.number != PROTOCOL_VERSION) {
		ret_failure->refused = true;
		return err_set(err, "%s: the runner speaks protocol %llu, not %d", order->file,
			       (unsigned long long)link->event.number, PROTOCOL_VERSION);
	}
	return 0;
}

int link_child(struct link *link)
{
	if (channel_send(&link->control, CONTROL_CHILD, 0, NULL, LINK_SEND_TIMEOUT_MS) < 0 ||
	    wait_answer(link, CONTROL_STARTED, CONTROL_STARTED, NULL) < 0)
		return -1;
	link->child_alive = link->event.number != 0;
	link->orders = link->received = link->answered = 0;
	requests_forget(link);
	if (link->child_alive && !link->in_process)
		link->child_fd = (int)syscall(SYS_pidfd_open, (pid_t)link->event.number, 0);
	return link->child_alive ? 0 : -1;
}

void link_stage(struct link *link, enum stage stage)
{
	struct buf body = {0};

	link->stage_ordered = true;
	link->orders++;
	wire_put_number(&body, stage);
	if (link->runner > 0 && link->child_alive &&
	    channel_send(&link->requests, REQUEST_STAGE, 0, &body, LINK_SEND_TIMEOUT_MS) < 0)
		runner_gone(link);
	buf_free(&body);
}

void link_answer(struct link *link, const struct buf *body)
{
	requests_forget(link);
	if (link->child_alive && !requests_answer(link, link->serial, body))
		runner_gone(link);
}

void link_interrupt(struct link *link)
{
	eventfd_write(link->interrupt_fd, 1);
}

void link_clear_interrupt(struct link *link)
{
	eventfd_t count;

	eventfd_read(link->interrupt_fd, &count);
}

void link_kill_child(struct link *link)
{
	if (link->runner == 0)
		return;
	if (link->in_process ||
	    channel_send(&link->control, CONTROL_KILL, 0, NULL, LINK_SEND_TIMEOUT_MS) < 0)
		runner_gone(link);
	else
		expect_death(link);
}

void link_end(struct link *link)
{
	runner_gone(link);
}

void link_describe(struct link *link, const struct link_trace *trace, struct buf *lines)
{
	struct buf body = {0};
	int rc;

	if (link->runner == 0 || trace->count == 0)
		return;
	wire_put_number(&body, trace->count);
	for (size_t i = 0; i < trace->count; i++) {
		wire_put_number(&body, trace->addresses[i]);
		wire_put_number(&body, trace->is_return[i]);
	}
	rc = channel_send(&link->control, CONTROL_DESCRIBE, 0, &body, LINK_SEND_TIMEOUT_MS);
	buf_free(&body);
	if (rc == 0 && wait_answer(link, CONTROL_DESCRIBED, CONTROL_DESCRIBED, NULL) == 0 &&
	    link->event.text)
		buf_puts(lines, link->event.text);
}

/* Waits a little for the runner to end by itself. */
static void await_runner(struct link *link)
{
	int tries = link->in_process ? QUIT_TRIES_IN_PROCESS : QUIT_TRIES;
	struct timespec pause = {.tv_nsec = 100000};
	int status;

	for (int i = 0; i < tries; i++) {
		if (waitpid(link->runner, &status, WNOHANG) != 0) {
			link->runner = 0;
			return;
		}
		nanosleep(&pause, NULL);
	}
}

void link_close(struct link *link)
{
	if (link->runner > 0 &&
	    channel_send(&link->control, CONTROL_QUIT, 0, NULL, LINK_SEND_TIMEOUT_MS) == 0)
		await_runner(link);
	end_runner(link);
	output_finish(&link->output, link->signal_fd);
	channel_close(&link->control);
	channel_close(&link->requests);
	fd_close(&link->interrupt_fd);
	fd_close(&link->child_fd);
	buf_free(&link->event.result.error);
	buf_free(&link->event.result.text_copy);
	requests_forget(link);
}
