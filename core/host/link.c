/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../runtime/descendants.h"
#include "signals.h"

#define SEND_TIMEOUT_MS 10000
#define ANSWER_TIMEOUT_NS 30000000000LL
#define LINE_MAX_BYTES 32768
/* What may wait for a slow reader of our standard output before the cookbook has to. */
#define OUT_PENDING_MAX 65536
#define TERM_GRACE_MS 2000

static int64_t boottime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* ---- output of the child ---- */

static void log_line(struct link *link, const char *text)
{
	struct log_record record = {
		.level = SPK_INFO,
		.module = "stderr",
		.function = link->name,
		.message = text,
	};

	clock_gettime(CLOCK_REALTIME, &record.time);
	log_write(link->log, &record);
}

/* Logs the complete lines that have come, and with `all` what is left, too. */
static void log_lines(struct link *link, bool all)
{
	char *start = link->err.text, *end;
	size_t left = link->err.length;
	struct buf rest = {0};

	while (left > 0 && ((end = memchr(start, '\n', left)) || all || left >= LINE_MAX_BYTES)) {
		size_t length = end ? (size_t)(end - start) : left;
		size_t step = length + (end ? 1 : 0);

		/* A NUL would hide what follows it. */
		for (char *nul = start; (nul = memchr(nul, '\0', length - (size_t)(nul - start)));)
			*nul = ' ';
		start[length] = '\0';
		log_line(link, start);
		start += step;
		left -= step;
	}
	buf_add(&rest, left ? start : "", left);
	buf_free(&link->err);
	link->err = rest;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Reads what has arrived in a pipe; closes it at its end. False: nothing more now. */
static bool read_pipe(int *fd, struct buf *into)
{
	char bytes[16384];
	ssize_t got;

	if (*fd < 0)
		return false;
	got = read(*fd, bytes, sizeof(bytes));
	if (got > 0) {
		buf_add(into, bytes, (size_t)got);
		return true;
	}
	if (got == 0 || (errno != EAGAIN && errno != EINTR))
		close_fd(fd);
	return false;
}

static void drain_err(struct link *link)
{
	while (read_pipe(&link->err_fd, &link->err))
		log_lines(link, false);
}

/* Passes data on to our own standard output as far as that takes it without blocking. */
static void flush_out(struct link *link)
{
	size_t done = 0;
	struct buf rest = {0};

	while (done < link->out.length) {
		struct pollfd ready = {.fd = STDOUT_FILENO, .events = POLLOUT};
		size_t length = link->out.length - done;
		ssize_t put;

		if (poll(&ready, 1, 0) <= 0)
			break;
		/* No more than a pipe that is writable takes at once. */
		put = write(STDOUT_FILENO, link->out.text + done, length < 4096 ? length : 4096);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN)
			break;
		if (put < 0) { /* nobody reads it any more: the cookbook goes on without */
			if (errno != EPIPE)
				log_warning(link->log,
					    "cannot write to standard output: %s, what the "
					    "cookbook prints is lost from here on",
					    strerrordesc_np(errno));
			done = link->out.length;
			close_fd(&link->out_fd);
			break;
		}
		done += (size_t)put;
	}
	if (done == link->out.length) {
		buf_clear(&link->out);
		return;
	}
	buf_add(&rest, link->out.text + done, link->out.length - done);
	buf_free(&link->out);
	link->out = rest;
}

static void drain_out(struct link *link)
{
	flush_out(link);
	while (link->out.length < OUT_PENDING_MAX && read_pipe(&link->out_fd, &link->out))
		flush_out(link);
}

/* ---- requests of the child ---- */

static int clamp_level(uint64_t level)
{
	static const int levels[] = {SPK_DEBUG, SPK_INFO, SPK_WARNING, SPK_ERROR};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (level <= (uint64_t)levels[i])
			return levels[i];
	return SPK_ERROR;
}

static bool on_log(struct link *link, struct message *message)
{
	struct log_record record = {0};

	clock_gettime(CLOCK_REALTIME, &record.time);
	record.level = clamp_level(wire_get_number(&message->body));
	record.module = wire_get_text(&message->body);
	record.line = (int)wire_get_number(&message->body);
	record.function = wire_get_text(&message->body);
	record.message = wire_get_text(&message->body);
	if (!wire_complete(&message->body) || !record.module || !record.function || !record.message)
		return false;
	/* What it printed before this record stands before it. */
	drain_out(link);
	drain_err(link);
	log_write(link->log, &record);
	return channel_send(&link->requests, REQUEST_ANSWER, message->serial, NULL,
			    SEND_TIMEOUT_MS) == 0;
}

static void get_trace(struct wire_reader *body, struct link_trace *trace, bool with_return)
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

static bool on_result(struct link *link, struct message *message)
{
	struct stage_result *result = &link->event.result;
	struct wire_reader *body = &message->body;
	size_t lines;

	buf_clear(&result->error);
	result->stage = (enum stage)wire_get_number(body);
	result->outcome = (enum stage_outcome)wire_get_number(body);
	result->code = (int)(int64_t)wire_get_number(body);
	result->undo_failed = (uint32_t)wire_get_number(body);
	result->text = wire_get_text(body);
	result->lock_concurrency = (int32_t)wire_get_number(body);
	result->lock_ttl_ns = (int64_t)wire_get_number(body);
	result->skip_start = wire_get_number(body) != 0;
	lines = wire_get_count(body);
	for (size_t i = 0; i < lines; i++) {
		const char *line = wire_get_text(body);

		buf_printf(&result->error, "%s%s", i ? "\n" : "", line ? line : "");
	}
	get_trace(body, &result->trace, false);
	return wire_complete(body);
}

/* What has arrived from the child. True: link->event is to be told. */
static bool on_requests(struct link *link, bool *ret_broken)
{
	struct message message;

	*ret_broken = false;
	switch (channel_receive(&link->requests, false, &message)) {
	case CHANNEL_NOTHING:
		return false;
	case CHANNEL_CLOSED:
		*ret_broken = true;
		return false;
	case CHANNEL_MESSAGE:
		break;
	}
	if (message.type == REQUEST_LOG)
		*ret_broken = !on_log(link, &message);
	else if (message.type == REQUEST_RESULT)
		*ret_broken = !on_result(link, &message);
	else
		*ret_broken = true;
	return !*ret_broken && message.type == REQUEST_RESULT;
}

/* ---- the runner ---- */

static bool on_gone(struct link *link, struct message *message)
{
	struct child_death *death = &link->event.death;

	death->status = (int)wire_get_number(&message->body);
	death->signal = (int)wire_get_number(&message->body);
	death->code = (int)(int64_t)wire_get_number(&message->body);
	death->fault_address = wire_get_number(&message->body);
	death->stack_pointer = wire_get_number(&message->body);
	death->stage = wire_get_text(&message->body);
	get_trace(&message->body, &death->trace, true);
	link->event.type = LINK_GONE;
	return wire_complete(&message->body) && death->stage;
}

static bool on_answer(struct link *link, struct message *message)
{
	link->event.type = LINK_ANSWER;
	link->event.answer = message->type;
	link->event.text = NULL;
	link->event.number = 0;
	if (message->type == CONTROL_STARTED)
		link->event.number = wire_get_number(&message->body);
	else if (message->type != CONTROL_READY)
		link->event.text = wire_get_text(&message->body);
	return wire_complete(&message->body);
}

/* Everything the child has printed is in the log, or on its way to our standard output. */
static void drain_pipes(struct link *link)
{
	drain_out(link);
	drain_err(link);
	log_lines(link, true);
}

static const struct link_event *told(struct link *link, enum link_event_type type)
{
	link->event.type = type;
	if (type == LINK_RESULT || type == LINK_GONE || type == LINK_RUNNER_GONE) {
		link->stage_ordered = false;
		drain_pipes(link);
	}
	return &link->event;
}

/* Kills the runner; with it goes all it started, which comes to us as the next subreaper. */
static void end_runner(struct link *link)
{
	if (link->runner > 0)
		kill(link->runner, SIGKILL);
	descendants_kill(0, NULL);
	link->runner = 0;
}

static const struct link_event *runner_gone(struct link *link)
{
	end_runner(link);
	link->child_alive = false;
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
		link->child_alive = false;
	} else {
		good = on_answer(link, &message);
	}
	if (!good)
		return runner_gone(link);
	return link->event.type == LINK_GONE ? told(link, LINK_GONE) : &link->event;
}

const struct link_event *link_wait(struct link *link, int64_t deadline_ns)
{
	enum { CONTROL, REQUESTS, SIGNALS, OUT, ERR, STDOUT, COUNT };

	for (;;) {
		struct pollfd fds[COUNT] = {
			[CONTROL] = {.fd = link->control.fd, .events = POLLIN},
			[REQUESTS] = {.fd = link->requests.fd, .events = POLLIN},
			[SIGNALS] = {.fd = link->signal_fd, .events = POLLIN},
			[OUT] = {.fd = link->out.length < OUT_PENDING_MAX ? link->out_fd : -1,
				 .events = POLLIN},
			[ERR] = {.fd = link->err_fd, .events = POLLIN},
			[STDOUT] = {.fd = link->out.length ? STDOUT_FILENO : -1, .events = POLLOUT},
		};
		const struct link_event *event;
		struct timespec timeout = {0};
		int64_t left = deadline_ns == INT64_MAX ? INT64_MAX : deadline_ns - boottime_ns();
		bool broken;

		if (link->runner == 0)
			return told(link, LINK_RUNNER_GONE);
		if (link->stage_ordered && !link->child_alive)
			return told(link, LINK_GONE);
		if (left > 0) {
			timeout.tv_sec = left / 1000000000LL;
			timeout.tv_nsec = left % 1000000000LL;
		}
		if (ppoll(fds, COUNT, left == INT64_MAX ? NULL : &timeout, NULL) == 0 && left <= 0)
			return told(link, LINK_TIMEOUT);
		if (fds[SIGNALS].revents) {
			link->event.signal = signals_next(link->signal_fd);
			if (link->event.signal)
				return told(link, LINK_SIGNAL);
		}
		if (fds[OUT].revents || fds[STDOUT].revents)
			drain_out(link);
		if (fds[ERR].revents)
			drain_err(link);
		if (fds[REQUESTS].revents) {
			if (on_requests(link, &broken))
				return told(link, LINK_RESULT);
			if (broken)
				return runner_gone(link);
			/* All that the child said comes before the news of its death. */
			continue;
		}
		if (fds[CONTROL].revents && (event = on_control(link)))
			return event;
	}
}

/* Waits for a certain answer of the runner. -1: it is gone, or silent for too long. */
static int wait_answer(struct link *link, enum control_type first, enum control_type second)
{
	int64_t deadline = boottime_ns() + ANSWER_TIMEOUT_NS;
	int signals[8];
	unsigned int count = 0;

	for (;;) {
		const struct link_event *event = link_wait(link, deadline);

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
	/* The operator's signals were not for us: they wait for the stage that follows. */
	while (count > 0)
		kill(getpid(), signals[--count]);
	return link->event.type == LINK_ANSWER ? 0 : -1;
}

static int make_pipe(int fds[2], struct err *err)
{
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, "cannot make a pipe");
	for (int i = 0; i < 2; i++) {
		int moved = fcntl(fds[i], F_DUPFD_CLOEXEC, 10);

		if (moved < 0) {
			err_errno(err, "cannot move a pipe");
			close(fds[0]);
			close(fds[1]);
			return -1;
		}
		close(fds[i]);
		fds[i] = moved;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	return 0;
}

/* The child's ends of everything, until they are handed over. */
struct far_ends {
	int control, requests, interrupt, out, err;
};

static int spawn_runner(struct link *link, const char *runner, const struct far_ends *far,
			struct err *err)
{
	char *argv[] = {(char *)(uintptr_t)runner, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, far->out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, far->err, STDERR_FILENO);
	posix_spawn_file_actions_adddup2(&actions, far->control, RUNNER_CONTROL_FD);
	posix_spawn_file_actions_adddup2(&actions, far->requests, RUNNER_REQUESTS_FD);
	posix_spawn_file_actions_adddup2(&actions, far->interrupt, RUNNER_INTERRUPT_FD);
	/* Whoever started us may have left descriptors open: none of them is the cookbook's. */
	posix_spawn_file_actions_addclosefrom_np(&actions, RUNNER_INTERRUPT_FD + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(&link->runner, runner, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (rc != 0) {
		link->runner = 0;
		errno = rc;
		return err_errno(err, "cannot start %s", runner);
	}
	return 0;
}

static int make_ends(struct link *link, struct far_ends *far, struct err *err)
{
	int control[2], requests[2], out[2], errors[2];

	if (channel_pair(control, err) < 0)
		return -1;
	link->control.fd = control[0];
	far->control = control[1];
	if (channel_pair(requests, err) < 0)
		return -1;
	link->requests.fd = requests[0];
	far->requests = requests[1];
	if (make_pipe(out, err) < 0)
		return -1;
	link->out_fd = out[0];
	far->out = out[1];
	if (make_pipe(errors, err) < 0)
		return -1;
	link->err_fd = errors[0];
	far->err = errors[1];
	link->interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (link->interrupt_fd < 0)
		return err_errno(err, "cannot make an event");
	far->interrupt = fcntl(link->interrupt_fd, F_DUPFD_CLOEXEC, 10);
	return far->interrupt < 0 ? err_errno(err, "cannot move an event") : 0;
}

static int start_runner(struct link *link, const char *runner, struct err *err)
{
	struct far_ends far = {-1, -1, -1, -1, -1};
	int rc = make_ends(link, &far, err);

	if (rc == 0)
		rc = spawn_runner(link, runner, &far, err);
	close_fd(&far.control);
	close_fd(&far.requests);
	close_fd(&far.interrupt);
	close_fd(&far.out);
	close_fd(&far.err);
	return rc;
}

int link_open(struct link *link, const char *runner, const struct run_order *order, struct log *log,
	      int signal_fd, bool *ret_refused, struct err *err)
{
	struct buf body = {0};
	int rc;

	*ret_refused = false;
	*link = (struct link){
		.control.fd = -1,
		.requests.fd = -1,
		.interrupt_fd = -1,
		.signal_fd = signal_fd,
		.out_fd = -1,
		.err_fd = -1,
		.log = log,
		.name = order->name,
	};
	if (start_runner(link, runner, err) < 0)
		return -1;
	order_write(order, &body);
	rc = channel_send(&link->control, CONTROL_INIT, 0, &body, SEND_TIMEOUT_MS);
	buf_free(&body);
	if (rc < 0 || wait_answer(link, CONTROL_READY, CONTROL_REFUSED) < 0)
		return err_set(err, "%s: the runner died while opening it", order->file);
	if (link->event.answer == CONTROL_REFUSED) {
		*ret_refused = true;
		return err_set(err, "%s", link->event.text ? link->event.text : "refused");
	}
	return 0;
}

int link_child(struct link *link)
{
	if (channel_send(&link->control, CONTROL_CHILD, 0, NULL, SEND_TIMEOUT_MS) < 0 ||
	    wait_answer(link, CONTROL_STARTED, CONTROL_STARTED) < 0)
		return -1;
	link->child_alive = link->event.number != 0;
	return link->child_alive ? 0 : -1;
}

void link_stage(struct link *link, enum stage stage)
{
	struct buf body = {0};

	link->stage_ordered = true;
	wire_put_number(&body, stage);
	if (link->runner > 0 && link->child_alive &&
	    channel_send(&link->requests, REQUEST_STAGE, 0, &body, SEND_TIMEOUT_MS) < 0)
		runner_gone(link);
	buf_free(&body);
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
	if (link->runner > 0 &&
	    channel_send(&link->control, CONTROL_KILL, 0, NULL, SEND_TIMEOUT_MS) < 0)
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
	rc = channel_send(&link->control, CONTROL_DESCRIBE, 0, &body, SEND_TIMEOUT_MS);
	buf_free(&body);
	if (rc == 0 && wait_answer(link, CONTROL_DESCRIBED, CONTROL_DESCRIBED) == 0 &&
	    link->event.text)
		buf_puts(lines, link->event.text);
}

/* A slow reader gets what is left; a signal ends the waiting for it. */
static void finish_out(struct link *link)
{
	drain_out(link);
	while (link->out.length > 0) {
		struct pollfd fds[2] = {
			{.fd = STDOUT_FILENO, .events = POLLOUT},
			{.fd = link->signal_fd, .events = POLLIN},
		};

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents)
			return;
		drain_out(link);
	}
}

void link_close(struct link *link)
{
	if (link->runner > 0) {
		int status;

		if (channel_send(&link->control, CONTROL_QUIT, 0, NULL, SEND_TIMEOUT_MS) < 0)
			kill(link->runner, SIGKILL);
		for (int i = 0; i < TERM_GRACE_MS * 10; i++) {
			struct timespec pause = {.tv_nsec = 100000};

			if (waitpid(link->runner, &status, WNOHANG) != 0) {
				link->runner = 0;
				break;
			}
			nanosleep(&pause, NULL);
		}
		end_runner(link);
	}
	finish_out(link);
	drain_err(link);
	log_lines(link, true);
	channel_close(&link->control);
	channel_close(&link->requests);
	close_fd(&link->interrupt_fd);
	close_fd(&link->out_fd);
	close_fd(&link->err_fd);
	buf_free(&link->out);
	buf_free(&link->err);
	buf_free(&link->event.result.error);
}
