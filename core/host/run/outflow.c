/* SPDX-License-Identifier: Apache-2.0 */
#include "outflow.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* What a writable pipe takes at once. */
#define STEP 4096

int outflow_write(struct buf *pending, struct log *log)
{
	bool yielded = pending->length > 0 && log_yield(log, STDOUT_FILENO);
	struct buf rest = {0};
	size_t done = 0;
	char last = '\n';
	int failure = 0;

	while (done < pending->length) {
		struct pollfd ready = {.fd = STDOUT_FILENO, .events = POLLOUT};
		size_t length = pending->length - done;
		ssize_t put;

		if (poll(&ready, 1, 0) <= 0)
			break;
		put = write(STDOUT_FILENO, pending->text + done, length < STEP ? length : STEP);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN)
			break;
		if (put < 0) {
			failure = errno;
			done = pending->length;
			break;
		}
		done += (size_t)put;
		last = pending->text[done - 1];
	}
	if (yielded)
		log_resume(log, last == '\n');
	if (done == pending->length) {
		buf_clear(pending);
		return failure;
	}
	buf_add(&rest, pending->text + done, pending->length - done);
	buf_free(pending);
	*pending = rest;
	return 0;
}

void outflow_finish(struct buf *pending, struct log *log, int signal_fd)
{
	while (pending->length > 0 && outflow_write(pending, log) == 0 && pending->length > 0) {
		struct pollfd fds[2] = {
			{.fd = STDOUT_FILENO, .events = POLLOUT},
			{.fd = signal_fd, .events = POLLIN},
		};

		if ((poll(fds, 2, -1) < 0 && errno != EINTR) || fds[1].revents)
			break;
	}
}
