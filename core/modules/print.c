/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of data on standard output. */
#include <spicerack/output.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "../runtime/mem.h"
#include "../runtime/session.h"

/* Until standard output takes more. False: an interruption came first. */
static bool wait_for_room(struct spk *spk)
{
	struct pollfd fds[] = {
		{.fd = STDOUT_FILENO, .events = POLLOUT},
		{.fd = spk->uninterruptible ? -1 : spk->interrupt_fd, .events = POLLIN},
	};

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	return !fds[1].revents;
}

static void put(struct spk *spk, const char *text, size_t length)
{
	ssize_t done;

	while (length > 0 && wait_for_room(spk)) {
		/* No more than a pipe that is writable takes at once. */
		done = write(STDOUT_FILENO, text, length < PIPE_BUF ? length : PIPE_BUF);
		if (done < 0 && errno != EINTR && errno != EAGAIN)
			return; /* nobody reads it any more */
		if (done > 0) {
			text += done;
			length -= (size_t)done;
		}
	}
}

void spk_print(struct spk *spk, const char *format, ...)
{
	struct buf text = {0};
	va_list args;

	CHECK_SPK(spk);
	CHECK_GIVEN(format);
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	mem_wipe_stack();
	buf_putc(&text, '\n');
	/* What printf() wrote comes first. */
	fflush(stdout);
	put(spk, text.text, text.length);
	buf_free(&text);
	session_check_interrupt(spk);
}
