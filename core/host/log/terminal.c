/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 1000
#define COLOUR_END "\033[0m"

static const struct {
	enum spk_level level;
	const char *begin;
} colours[] = {
	{SPK_ERROR, "\033[31m"},
	{SPK_WARNING, "\033[33m"},
};

static const char *colour_of(enum spk_level level)
{
	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (level >= colours[i].level)
			return colours[i].begin;
	return NULL;
}

/* Whether a variable is there and not empty; `except` is a value that does not count. */
static bool asks(const char *variable, const char *except)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *value = getenv(variable);

	return value && value[0] != '\0' && strcmp(value, except) != 0;
}

bool terminal_wants_colours(int fd)
{
	/* NOLINTBEGIN(concurrency-mt-unsafe): one thread */
	const char *simple = getenv("CLICOLOR");

	if (asks("NO_COLOR", ""))
		return false;
	if (asks("CLICOLOR_FORCE", "0"))
		return true;
	if (simple && strcmp(simple, "0") == 0)
		return false;
	/* NOLINTEND(concurrency-mt-unsafe) */
	return asks("TERM", "dumb") && isatty(fd);
}

bool terminal_is_addressable(void)
{
	return asks("TERM", "dumb");
}

/*
 * Another way to the same terminal or pipe that does not wait, and leaves the way that we share
 * with the shell as it is. -1 where there is none: the shared one is used, in pieces.
 */
static int open_unwaiting(int fd, mode_t mode)
{
	char path[32];

	if (!S_ISFIFO(mode) && !(S_ISCHR(mode) && isatty(fd)))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void terminal_init(struct terminal *terminal, int fd, bool dry_run, bool verbose)
{
	struct stat st;
	int own;

	*terminal = (struct terminal){
		.fd = fd,
		.dry_run = dry_run,
		.threshold = dry_run || verbose ? SPK_DEBUG : SPK_INFO,
		.coloured = terminal_wants_colours(fd),
		.addressable = terminal_is_addressable(),
		.disabled = fstat(fd, &st) < 0,
	};
	if (terminal->disabled)
		return;
	own = open_unwaiting(fd, st.st_mode);
	terminal->owns_fd = own >= 0;
	if (own >= 0)
		terminal->fd = own;
}

void terminal_init_lent(struct terminal *terminal, int fd, const struct terminal *like,
			bool coloured, bool addressable)
{
	*terminal = (struct terminal){
		.fd = fd,
		.owns_fd = true,
		.dry_run = like->dry_run,
		.threshold = like->threshold,
		.coloured = coloured,
		.addressable = addressable,
	};
}

/* Waits until there is room; -1 with errno EAGAIN when there is none for too long. */
static int wait_for_room(struct terminal *terminal)
{
	struct pollfd poller = {.fd = terminal->fd, .events = POLLOUT};
	struct timespec now;
	long long deadline = 0, left = PATIENCE_MS;
	int ready;

	if (terminal->stuck)
		left = 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	deadline = now.tv_sec * 1000LL + now.tv_nsec / 1000000 + left;
	for (;;) {
		ready = poll(&poller, 1, (int)left);
		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return -1;
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = deadline - (now.tv_sec * 1000LL + now.tv_nsec / 1000000);
		if (left <= 0) {
			errno = EAGAIN;
			return -1;
		}
	}
}

/* How many bytes reached the reader. */
static size_t put(struct terminal *terminal, const char *text, size_t length)
{
	size_t done = 0;
	ssize_t written;

	while (done < length && !terminal->disabled) {
		size_t piece = length - done;

		/* Beyond PIPE_BUF a pipe with some room makes the writer wait for the rest. */
		if (!terminal->owns_fd && piece > PIPE_BUF)
			piece = PIPE_BUF;
		written = wait_for_room(terminal);
		if (written == 0)
			written = write(terminal->fd, text + done, piece);
		if (written >= 0) {
			done += (size_t)written;
			terminal->stuck = false;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN) {
			terminal->stuck = true;
			break;
		}
		terminal->disabled = true;
	}
	return done;
}

/* Runs put() so that a reader that has gone is an error and no signal. */
static size_t put_quietly(struct terminal *terminal, const char *text, size_t length)
{
	static const struct timespec at_once = {0};
	sigset_t pipe_signal, before, pending;
	size_t done;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigemptyset(&pending);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
	done = put(terminal, text, length);
	if (terminal->disabled && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&pipe_signal, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return done;
}

/* ---- the line below the records ---- */

size_t terminal_columns(const struct terminal *terminal)
{
	struct winsize size;

	if (terminal->disabled || !terminal->addressable || !isatty(terminal->fd) ||
	    ioctl(terminal->fd, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col ? size.ws_col : 80;
}

/* Takes the line away. A terminal that became narrower has broken it into several. */
static void put_erasure(struct terminal *terminal, struct buf *out)
{
	size_t columns = terminal->status_columns ? terminal_columns(terminal) : 0;

	if (terminal->cue)
		buf_putc(out, '\n');
	if (columns == 0)
		return;
	if (terminal->status_columns > columns)
		buf_printf(out, "\033[%zuA", (terminal->status_columns - 1) / columns);
	buf_puts(out, "\r\033[J");
	terminal->status_columns = 0;
}

static void put_below(struct terminal *terminal, struct buf *out)
{
	if (terminal->cue)
		buf_puts(out, terminal->cue);
	else
		buf_add(out, buf_text(&terminal->status), terminal->status.length);
}

static void put_all(struct terminal *terminal)
{
	put_quietly(terminal, buf_text(&terminal->line), terminal->line.length);
}

void terminal_set_status(struct terminal *terminal, const char *text, size_t columns)
{
	if (strcmp(text, buf_text(&terminal->status)) == 0 &&
	    (terminal->status_columns > 0 || *text == '\0'))
		return;
	buf_clear(&terminal->status);
	buf_puts(&terminal->status, text);
	terminal->status_width = columns;
	/* Then it is drawn behind the next record. */
	if (terminal->disabled || terminal->cue || terminal->foreign || terminal->inside_line)
		return;
	buf_clear(&terminal->line);
	put_erasure(terminal, &terminal->line);
	put_below(terminal, &terminal->line);
	terminal->status_columns = columns;
	if (terminal->line.length > 0)
		put_all(terminal);
}

void terminal_set_cue(struct terminal *terminal, const char *cue)
{
	if (cue && (terminal->disabled || !isatty(terminal->fd)))
		return;
	if (cue && terminal->status_columns)
		terminal_set_status(terminal, "", 0);
	terminal->cue = cue;
}

bool terminal_yield(struct terminal *terminal, int fd)
{
	if ((!terminal->cue && !terminal->status.length) || !isatty(fd))
		return false;
	buf_clear(&terminal->line);
	put_erasure(terminal, &terminal->line);
	put_all(terminal);
	return true;
}

void terminal_resume(struct terminal *terminal, bool ended)
{
	terminal->foreign = !ended;
	if (!ended)
		return;
	buf_clear(&terminal->line);
	put_below(terminal, &terminal->line);
	terminal->status_columns = terminal->status_width;
	put_all(terminal);
}

/* ---- records ---- */

/* What comes before anything that is shown. */
static void begin_line(struct terminal *terminal)
{
	struct buf *line = &terminal->line;

	buf_clear(line);
	put_erasure(terminal, line);
	if (terminal->inside_line)
		buf_puts(line, terminal->coloured ? COLOUR_END "\n" : "\n");
	if (terminal->lost)
		buf_printf(line, "(%lu lines were not shown here, see the log files)\n",
			   terminal->lost);
}

static void render(struct terminal *terminal, const struct log_record *record)
{
	const char *colour = terminal->coloured ? colour_of(record->level) : NULL;
	struct buf *line = &terminal->line;

	begin_line(terminal);
	if (colour)
		buf_puts(line, colour);
	record_render_terminal(record, terminal->dry_run, line);
	buf_puts(line, colour ? COLOUR_END "\n" : "\n");
	terminal->foreign = false;
	put_below(terminal, line);
	terminal->status_columns = terminal->status_width;
}

/* Shows the line, or as much of it as is taken. */
static void put_line(struct terminal *terminal)
{
	size_t done = put_quietly(terminal, terminal->line.text, terminal->line.length);

	if (done == terminal->line.length) {
		terminal->lost = 0;
		terminal->inside_line = false;
	} else {
		terminal->lost++;
		if (done > 0)
			terminal->inside_line = terminal->line.text[done - 1] != '\n';
	}
}

void terminal_write(struct terminal *terminal, const struct log_record *record)
{
	int saved = errno;

	if (terminal->disabled || record->level < terminal->threshold)
		return;
	render(terminal, record);
	put_line(terminal);
	errno = saved;
}

void terminal_show(struct terminal *terminal, const char *text, size_t length)
{
	int saved = errno;

	if (terminal->disabled || length == 0)
		return;
	begin_line(terminal);
	buf_add(&terminal->line, text, length);
	put_line(terminal);
	terminal_resume(terminal, text[length - 1] == '\n');
	errno = saved;
}

void terminal_close(struct terminal *terminal)
{
	if (terminal->owns_fd)
		close(terminal->fd);
	terminal->owns_fd = false;
	buf_free(&terminal->line);
	buf_free(&terminal->status);
	terminal->disabled = true;
}
