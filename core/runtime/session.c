/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"
#include "mem.h"
#include "protocol.h"
#include "testing.h"

/* So long nothing comes from the supervisor before it is asked whether a message was lost. */
#define SILENCE_NS 5000000000LL
/* A longer message is several records, so that one cannot hold up the others. */
#define LOG_MAX 32768

static struct spk *current;

struct spk *session_current(void)
{
	return current;
}

void session_set_current(struct spk *spk)
{
	current = spk;
}

static void tell(const char *message)
{
	ssize_t ignored = write(STDERR_FILENO, message, strlen(message));

	(void)ignored;
}

void session_end_twin(const struct spk *spk)
{
	/* The number of a process is that of its first thread, too. */
	if (gettid() == spk->process)
		return;
	/* Two would take each other's answers, and a raise would go on with the other's stack. */
	if (getpid() == spk->process) {
		tell("spicerack: a second thread of the cookbook called the SDK: only the one "
		     "that calls the cookbook may\n");
		abort();
	}
	tell("spicerack: a process that the cookbook forked came back into the run and was ended: "
	     "only exec or _exit() may follow\n");
	_exit(1);
}

/* Takes note that an interruption was delivered: the next one is another. */
static void raise_interrupted(struct spk *spk)
{
	uint64_t count;

	while (read(spk->interrupt_fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	spk_raise(spk, KIND_INTERRUPTED, NULL, "interrupted");
}

void session_check_interrupt(struct spk *spk)
{
	struct pollfd interrupt = {.fd = spk->interrupt_fd, .events = POLLIN};

	if (spk->uninterruptible == 0 && spk->interrupt_fd >= 0 && poll(&interrupt, 1, 0) > 0)
		raise_interrupted(spk);
}

int session_poll(struct spk *spk, struct pollfd *fds, unsigned int count, int64_t deadline_ns)
{
	struct pollfd all[9];
	int ready;

	if (count > 8)
		session_misuse(__func__, "%u descriptors", count);
	if (spk->before_waiting)
		spk->before_waiting(spk);
	/* Who only waits has no descriptors, and memcpy() takes no NULL. */
	if (count > 0)
		memcpy(all, fds, count * sizeof(*fds));
	all[count] = (struct pollfd){
		.fd = spk->uninterruptible ? -1 : spk->interrupt_fd,
		.events = POLLIN,
	};
	for (;;) {
		int64_t left = deadline_ns - (deadline_ns == INT64_MAX ? 0 : spk_uptime().ns);
		struct timespec timeout;

		if (left < 0)
			left = 0;
		timeout.tv_sec = left / 1000000000LL;
		timeout.tv_nsec = left % 1000000000LL;
		ready = ppoll(all, count + 1, deadline_ns == INT64_MAX ? NULL : &timeout, NULL);
		if (ready >= 0 || errno != EINTR)
			break;
	}
	if (all[count].revents)
		raise_interrupted(spk);
	if (count > 0)
		memcpy(fds, all, count * sizeof(*fds));
	return ready;
}

int session_cancel_fd(struct spk *spk)
{
	session_check_interrupt(spk);
	if (spk->before_waiting)
		spk->before_waiting(spk);
	return spk->uninterruptible ? -1 : spk->interrupt_fd;
}

int64_t session_deadline(spk_duration span)
{
	int64_t deadline;

	return __builtin_add_overflow(spk_uptime().ns, span.ns, &deadline) ? INT64_MAX : deadline;
}

static void ask_what_was_lost(struct spk *spk, uint32_t awaited)
{
	struct buf body = {0};

	if (spk->checking)
		return;
	spk->checking = true;
	wire_put_number(&body, (uint64_t)getpid());
	wire_put_number(&body, awaited);
	wire_put_number(&body, spk->orders);
	if (channel_send(&spk->requests, REQUEST_CHECK, 0, &body, -1) < 0)
		_exit(1);
	buf_free(&body);
}

void session_listen(struct spk *spk, uint32_t awaited)
{
	struct pollfd ready = {.fd = spk->requests.fd, .events = POLLIN};

	while (session_poll(spk, &ready, 1, spk_uptime().ns + SILENCE_NS) == 0)
		ask_what_was_lost(spk, awaited);
}

void session_checked(struct spk *spk, struct message *message, uint32_t awaited)
{
	pid_t pid = (pid_t)wire_get_number(&message->body);
	uint64_t awaited_then = wire_get_number(&message->body);
	uint64_t orders_then = wire_get_number(&message->body);
	uint64_t given = wire_get_number(&message->body);
	bool result_due = wire_get_number(&message->body);
	uint64_t received = wire_get_number(&message->body);
	uint64_t answered = wire_get_number(&message->body);

	if (!wire_complete(&message->body) || pid != getpid())
		return;
	spk->checking = false;
	if (awaited_then != awaited || orders_then != spk->orders)
		return;
	/* Messages overtake each other in no direction: what was sent before this one is here. */
	if (awaited ? received < awaited || answered >= awaited
		    : given > spk->orders || result_due) {
		fputs("spicerack: a message between the processes of the run was lost\n", stderr);
		_exit(1);
	}
}

void session_tell(struct spk *spk, uint32_t type, const struct buf *body)
{
	if (channel_send(&spk->requests, type, 0, body, -1) < 0)
		_exit(1);
}

void session_request(struct spk *spk, uint32_t type, const struct buf *body,
		     struct message *ret_answer)
{
	uint32_t serial = ++spk->serial;

	session_end_twin(spk);
	/* Without a supervisor nothing may go on: the runner is ending this process already. */
	if (channel_send(&spk->requests, type, serial, body, -1) < 0)
		_exit(1);
	do {
		session_listen(spk, serial);
		if (channel_receive(&spk->requests, true, ret_answer) != CHANNEL_MESSAGE)
			_exit(1);
		if (ret_answer->type == REQUEST_CHECKED)
			session_checked(spk, ret_answer, serial);
		/* Another serial: an answer to a dead child, or one that an interruption left
		 * behind. */
	} while (ret_answer->type != REQUEST_ANSWER || ret_answer->serial != serial);
}

static void log_text(struct spk *spk, enum spk_level level, const char *file, int line,
		     const char *function, const char *text, enum log_audience audience)
{
	struct buf body = {0};
	struct message answer;

	wire_put_number(&body, (uint64_t)level);
	wire_put_text(&body, file);
	wire_put_number(&body, (uint64_t)line);
	wire_put_text(&body, function);
	wire_put_text(&body, text);
	wire_put_number(&body, audience);
	/* The record must be acknowledged also when an interruption is due: it raises afterwards.
	 */
	spk->uninterruptible++;
	session_request(spk, REQUEST_LOG, &body, &answer);
	spk->uninterruptible--;
	buf_free(&body);
}

void session_log(struct spk *spk, enum log_audience audience, enum spk_level level,
		 const char *file, int line, const char *function, const char *format, va_list args)
{
	struct buf text = {0};
	char part[LOG_MAX + 1];

	buf_vprintf(&text, format, args);
	mem_wipe_stack();
	testing_step(spk, false, "%s:%d: log \"%s\"", file, line, buf_text(&text));
	if (text.length <= LOG_MAX)
		log_text(spk, level, file, line, function, buf_text(&text), audience);
	for (size_t at = 0; text.length > LOG_MAX && at < text.length;) {
		size_t length = text.length - at < LOG_MAX ? text.length - at : LOG_MAX;

		/* Not in the middle of a UTF-8 sequence. */
		while (at + length < text.length && length > LOG_MAX - 4 &&
		       ((unsigned char)text.text[at + length] & 0xc0) == 0x80)
			length--;
		memcpy(part, text.text + at, length);
		part[length] = '\0';
		/* Others are told the beginning only, and of that what fits. */
		log_text(spk, level, file, line, function, part, at ? AUDIENCE_NONE : audience);
		explicit_bzero(part, length);
		at += length;
	}
	buf_free(&text);
	session_check_interrupt(spk);
}

void spk_log(struct spk *spk, enum spk_level level, const char *file, int line,
	     const char *function, const char *format, ...)
{
	va_list args;

	CHECK_SPK(spk);
	CHECK_GIVEN(file);
	CHECK_GIVEN(function);
	va_start(args, format);
	session_log(spk, AUDIENCE_NONE, level, file, line, function, format, args);
	va_end(args);
}

/* One line of the summary; the supervisor keeps as many as it likes. */
static void tell_summary(struct spk *spk, enum dryrun_kind kind, const char *text)
{
	struct buf body = {0};

	wire_put_number(&body, kind);
	wire_put_text(&body, text);
	session_tell(spk, REQUEST_DRYRUN, &body);
	buf_free(&body);
}

bool session_may_write(struct spk *spk, const char *format, ...)
{
	struct buf text = {0};
	const char *copy;
	va_list args;

	session_check_interrupt(spk);
	if (!spk->order.dry_run)
		return true;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	copy = spk_format(spk, "%s", buf_text(&text));
	buf_free(&text);
	tell_summary(spk, DRYRUN_WRITE, copy);
	spk_info(spk, "would %s", copy);
	return false;
}

static void tell_formatted(struct spk *spk, enum dryrun_kind kind, const char *format, va_list args)
	__attribute__((__format__(__printf__, 3, 0)));

static void tell_formatted(struct spk *spk, enum dryrun_kind kind, const char *format, va_list args)
{
	struct buf text = {0};

	if (!spk->order.dry_run)
		return;
	buf_vprintf(&text, format, args);
	mem_wipe_stack();
	tell_summary(spk, kind, buf_text(&text));
	buf_free(&text);
}

void session_did_read(struct spk *spk, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell_formatted(spk, DRYRUN_READ, format, args);
	va_end(args);
}

void session_cannot_know(struct spk *spk, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell_formatted(spk, DRYRUN_UNKNOWN, format, args);
	va_end(args);
}

void *spk_alloc(struct spk *spk, size_t size)
{
	void *memory;

	CHECK_SPK(spk);
	memory = arena_alloc(spk->shared, size, false);
	if (!memory)
		spk_raise(spk, "memory", NULL, "the run has no memory left for %zu bytes", size);
	return memory;
}

bool spk_dry_run(const struct spk *spk)
{
	CHECK_SPK(spk);
	return spk->order.dry_run;
}

bool spk_verbose(const struct spk *spk)
{
	CHECK_SPK(spk);
	return spk->order.verbose;
}

const char *spk_username(const struct spk *spk)
{
	CHECK_SPK(spk);
	return spk->order.username;
}

const char *spk_hostname(const struct spk *spk)
{
	CHECK_SPK(spk);
	return spk->order.hostname;
}

const char *spk_owner(const struct spk *spk)
{
	CHECK_SPK(spk);
	return spk->order.owner;
}

const char *spk_config_dir(const struct spk *spk)
{
	CHECK_SPK(spk);
	return spk->order.config_dir;
}

const char *spk_http_proxy(const struct spk *spk)
{
	CHECK_SPK(spk);
	return spk->order.http_proxy;
}

const char *spk_cookbook_name(const struct spk *spk)
{
	CHECK_SPK(spk);
	return spk->order.name;
}

const char *spk_task_id(const struct spk *spk)
{
	CHECK_SPK(spk);
	return spk->order.task_id;
}

const char *spk_reason(const struct spk *spk)
{
	CHECK_SPK(spk);
	return spk->order.reason;
}

bool spk_given(const struct spk *spk, const void *field)
{
	uintptr_t offset;

	CHECK_SPK(spk);
	offset = (uintptr_t)field - (uintptr_t)spk->shared->self;
	for (size_t i = 0; i < spk->order.arg_count; i++)
		if (spk->order.args[i].offset == offset)
			return spk->order.args[i].given;
	/* An argument of a subcommand that was not chosen is in the structure all the same. */
	if (offset < spk->order.state_size && spk->order.subcommand)
		return false;
	session_misuse(__func__, "'field' holds no argument");
}

void spk_skip_start(struct spk *spk)
{
	CHECK_SPK(spk);
	if (!spk->preparing)
		session_misuse(__func__, "only prepare can decide it: START is logged after it");
	spk->shared->skip_start = true;
}

void spk_done(struct spk *spk, const char *format, ...)
{
	const char *message = "";
	va_list args;

	CHECK_SPK(spk);
	if (!spk->preparing)
		session_misuse(__func__, "only prepare may end the run successfully");
	if (format) {
		va_start(args, format);
		message = spk_vformat(spk, format, args);
		va_end(args);
	}
	spk_raise(spk, KIND_DONE, NULL, "%s", message);
}
