/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "outflow.h"

#define LINE_MAX_BYTES 32768

static void log_line(struct output *output, const char *text)
{
	struct log_record record = {
		.level = SPK_INFO,
		.source = RECORD_STDERR,
		.module = "stderr",
		.function = output->name,
		.message = text,
	};

	clock_gettime(CLOCK_REALTIME, &record.time);
	log_write(output->log, &record);
}

static void tell_line(struct output *output, const char *text)
{
	log_tell_output(output->log, text);
}

/* Takes the complete lines that have come, and with `all` what is left, too. */
static void take_lines(struct output *output, struct buf *lines, bool all,
		       void (*take)(struct output *output, const char *text))
{
	char *start = lines->text, *end;
	size_t left = lines->length;
	struct buf rest = {0};

	while (left > 0 && ((end = memchr(start, '\n', left)) || all || left >= LINE_MAX_BYTES)) {
		size_t length = end ? (size_t)(end - start) : left;
		size_t step = length + (end ? 1 : 0);

		/* A NUL would hide what follows it. */
		for (char *nul = start; (nul = memchr(nul, '\0', length - (size_t)(nul - start)));)
			*nul = ' ';
		start[length] = '\0';
		take(output, start);
		start += step;
		left -= step;
	}
	buf_add(&rest, left ? start : "", left);
	buf_free(lines);
	*lines = rest;
}

static void log_lines(struct output *output, bool all)
{
	take_lines(output, &output->err, all, log_line);
}

/* The same for what is data elsewhere, with --json. */
static void tell_lines(struct output *output, bool all)
{
	take_lines(output, &output->out, all, tell_line);
}

/* How much has arrived in a pipe; 1 when there may be its end. */
static size_t arrived(int fd)
{
	int length = 0;

	if (fd < 0)
		return 0;
	return ioctl(fd, FIONREAD, &length) < 0 || length <= 0 ? 1 : (size_t)length;
}

/* Also for the terminal of a run that is not our standard output, or not any more (console.h). */
static void show_new(const struct output *output, size_t old)
{
	if (output->out.length > old)
		log_show(output->log, output->out.text + old, output->out.length - old);
}

/*
 * Reads some of the `*left` bytes that had arrived in a pipe, no matter what has been added since:
 * who prints faster than we read must not keep us from everything else. Closes it at its end. With
 * a stream, what is data and goes out as it is: redacted. False: nothing more now.
 */
static bool read_pipe(int *fd, size_t *left, struct redactor_stream *stream, struct buf *into)
{
	char bytes[16384];
	ssize_t got;

	if (*fd < 0 || *left == 0)
		return false;
	got = read(*fd, bytes, *left < sizeof(bytes) ? *left : sizeof(bytes));
	if (got > 0) {
		if (stream)
			redactor_pass(redactor_shared(), stream, bytes, (size_t)got, into);
		else
			buf_add(into, bytes, (size_t)got);
		explicit_bzero(bytes, (size_t)got);
		*left -= (size_t)got;
		return true;
	}
	if (got == 0 || (errno != EAGAIN && errno != EINTR))
		fd_close(fd);
	return false;
}

void output_drain_err(struct output *output)
{
	size_t left = arrived(output->err_fd);

	while (read_pipe(&output->err_fd, &left, NULL, &output->err))
		log_lines(output, false);
}

/* Passes data on to our own standard output as far as that takes it without blocking. */
static void flush_out(struct output *output)
{
	int failure;

	if (output->events) {
		tell_lines(output, false);
		eventout_flush(output->events);
		return;
	}
	failure = outflow_write(&output->out, output->log);
	if (failure == 0)
		return;
	/* The cookbook goes on without. */
	output->lost = failure != EPIPE;
	if (output->lost)
		log_warning(output->log,
			    "cannot write to standard output: %s, what the cookbook prints is "
			    "lost from here on",
			    strerrordesc_np(failure));
	fd_close(&output->out_fd);
}

void output_drain_out(struct output *output)
{
	size_t left = arrived(output->out_fd);

	flush_out(output);
	while (output_wants_more(output)) {
		size_t old = output->out.length;

		if (!read_pipe(&output->out_fd, &left, &output->stream, &output->out))
			break;
		show_new(output, old);
		flush_out(output);
	}
}

bool output_wants_more(const struct output *output)
{
	return output->events ? eventout_wants_more(output->events)
			      : output->out.length < OUTFLOW_PENDING_MAX;
}

bool output_is_pending(const struct output *output)
{
	return output->events ? eventout_is_pending(output->events) : output->out.length > 0;
}

void output_drain(struct output *output)
{
	size_t old;

	output_drain_out(output);
	old = output->out.length;
	redactor_pause(redactor_shared(), &output->stream, &output->out);
	show_new(output, old);
	flush_out(output);
	if (output->events)
		tell_lines(output, true);
	output_drain_err(output);
	log_lines(output, true);
}

/* When all has been read: whether something was kept back till now. */
static bool end_stream(struct output *output)
{
	size_t old = output->out.length;

	redactor_end(redactor_shared(), &output->stream, &output->out);
	show_new(output, old);
	if (output->events)
		tell_lines(output, true);
	return output->out.length > 0;
}

void output_finish(struct output *output, int signal_fd)
{
	output_drain(output);
	while (output->out.length > 0 || end_stream(output)) {
		struct pollfd fds[2] = {
			{.fd = STDOUT_FILENO, .events = POLLOUT},
			{.fd = signal_fd, .events = POLLIN},
		};

		if ((poll(fds, 2, -1) < 0 && errno != EINTR) || fds[1].revents)
			break;
		output_drain_out(output);
	}
	fd_close(&output->out_fd);
	fd_close(&output->err_fd);
	buf_free(&output->out);
	buf_free(&output->err);
}
