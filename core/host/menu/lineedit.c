/* SPDX-License-Identifier: Apache-2.0 */
#include "lineedit.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <spicerack/plugin.h>

#include "../../runtime/driver.h"
#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../run/signals.h"

#define DRIVER "libedit"
/* What a terminal takes for one line when it does the editing. */
#define PLAIN_MAX 4096

struct lineedit {
	const struct spk_lineedit_driver *driver; /* NULL: plain lines */
	void *editor;
	lineedit_complete *complete;
	void *data;
	int input; /* the terminal; read() on it does not wait, if we may have it so */
	int signal_fd;
	int redraw_fd; /* readable when the line is to be drawn anew; -1: none */
	const char *prompt;
	enum lineedit_end end;  /* how the line being read ended, other than as a line */
	struct termios outside; /* the settings to leave the terminal with */
	bool has_settings;
	char plain[PLAIN_MAX];
};

bool lineedit_is_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* ---- waiting ---- */

/* Stops this process as Ctrl+Z does, with the terminal as others expect it. */
static void suspend(struct lineedit *lineedit)
{
	struct sigaction standard = {.sa_handler = SIG_DFL}, before;
	struct termios editing;
	bool known = tcgetattr(STDIN_FILENO, &editing) == 0;
	sigset_t stop;

	if (lineedit->has_settings)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &lineedit->outside);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigaction(SIGTSTP, &standard, &before);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL); /* here it stops, and goes on */
	sigprocmask(SIG_BLOCK, &stop, NULL);
	sigaction(SIGTSTP, &before, NULL);
	if (known)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &editing);
}

static enum spk_lineedit_wake take_signal(struct lineedit *lineedit)
{
	int number = signals_next(lineedit->signal_fd);

	if (!number)
		return SPK_LINEEDIT_READY;
	if (number == SIGTSTP) {
		suspend(lineedit);
		return SPK_LINEEDIT_REDRAW;
	}
	lineedit->end = number == SIGINT ? LINEEDIT_CANCELLED : LINEEDIT_TERMINATED;
	return SPK_LINEEDIT_ABANDON;
}

/* After a stop by somebody else the shell has set the terminal for itself. */
static void take_redraws(struct lineedit *lineedit, const struct termios *editing)
{
	int number;

	while ((number = signals_next(lineedit->redraw_fd)))
		if (number == SIGCONT && editing)
			tcsetattr(STDIN_FILENO, TCSADRAIN, editing);
}

static enum spk_lineedit_wake wait_for_input(void *data)
{
	struct lineedit *lineedit = data;
	struct pollfd fds[] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = lineedit->signal_fd, .events = POLLIN},
		{.fd = lineedit->redraw_fd, .events = POLLIN},
	};
	enum spk_lineedit_wake wake = SPK_LINEEDIT_READY;
	struct termios editing;
	bool known = tcgetattr(STDIN_FILENO, &editing) == 0;

	for (;;) {
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0) {
			if (errno == EINTR)
				continue;
			lineedit->end = LINEEDIT_TERMINATED;
			return SPK_LINEEDIT_ABANDON;
		}
		if (fds[1].revents)
			wake = take_signal(lineedit);
		if (wake != SPK_LINEEDIT_READY)
			return wake;
		if (fds[2].revents) {
			take_redraws(lineedit, known ? &editing : NULL);
			return SPK_LINEEDIT_REDRAW;
		}
		if (fds[0].revents & ~POLLIN) {
			lineedit->end = LINEEDIT_TERMINATED;
			return SPK_LINEEDIT_ABANDON;
		}
		if (fds[0].revents)
			return SPK_LINEEDIT_READY;
	}
}

static spk_strings complete_word(void *data, const char *text, size_t *ret_word)
{
	struct lineedit *lineedit = data;

	return lineedit->complete(lineedit->data, text, ret_word);
}

/* ---- opening ---- */

/* All our texts are UTF-8; characters are to be counted and edited as such. */
static void set_locale(void)
{
	/* NOLINTBEGIN(concurrency-mt-unsafe): one thread */
	if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
	/* NOLINTEND(concurrency-mt-unsafe) */
}

static int open_redraw_fd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCONT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool is_same_terminal(int a, int b)
{
	unsigned int first, second;

	return ioctl(a, TIOCGDEV, &first) == 0 && ioctl(b, TIOCGDEV, &second) == 0 &&
	       first == second;
}

/*
 * Another way to the terminal of our standard input, whose read() does not wait: a Ctrl+C takes
 * away what was typed before it, also what poll() has just told of. -1: there is none.
 */
static int open_unwaiting(void)
{
	const char *const paths[] = {"/dev/tty", "/proc/self/fd/0"};

	for (size_t i = 0; i < 2; i++) {
		int fd = open(paths[i], O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (fd >= 0 && is_same_terminal(fd, STDIN_FILENO))
			return fd;
		fd_close(&fd);
	}
	return -1;
}

static void open_driver(struct lineedit *lineedit, size_t history_lines, struct err *err)
{
	static const struct spk_lineedit_calls calls = {
		.size = sizeof(calls),
		.wait = wait_for_input,
		.complete = complete_word,
	};
	struct spk_reason_buffer reason = {""};

	lineedit->driver = (const struct spk_lineedit_driver *)driver_open(
		"lineedit", DRIVER, sizeof(*lineedit->driver), err);
	if (!lineedit->driver)
		return;
	lineedit->editor = lineedit->driver->open(lineedit->input, STDOUT_FILENO, history_lines,
						  &calls, lineedit, &reason);
	if (lineedit->editor)
		return;
	err_set(err, "%s", reason.text);
	lineedit->driver = NULL;
}

struct lineedit *lineedit_open(int signal_fd, size_t history_lines, lineedit_complete *complete,
			       void *data, struct err *err)
{
	struct lineedit *lineedit = xcalloc(1, sizeof(*lineedit));
	const char *kind = getenv("TERM"); /* NOLINT(concurrency-mt-unsafe): one thread */

	err_set(err, "%s", "");
	set_locale();
	lineedit->input = open_unwaiting();
	if (lineedit->input < 0)
		lineedit->input = STDIN_FILENO;
	lineedit->signal_fd = signal_fd;
	lineedit->redraw_fd = open_redraw_fd();
	lineedit->complete = complete;
	lineedit->data = data;
	/* What cannot move a cursor is no place to edit at, and nothing is missing there. */
	if (kind && *kind && strcmp(kind, "dumb") != 0)
		open_driver(lineedit, history_lines, err);
	return lineedit;
}

void lineedit_close(struct lineedit *lineedit)
{
	if (!lineedit)
		return;
	if (lineedit->driver)
		lineedit->driver->close(lineedit->editor);
	if (lineedit->input != STDIN_FILENO)
		fd_close(&lineedit->input);
	fd_close(&lineedit->redraw_fd);
	free(lineedit);
}

/* ---- reading ---- */

void lineedit_remember(struct lineedit *lineedit, const char *line)
{
	if (lineedit->driver)
		lineedit->driver->remember(lineedit->editor, line);
}

static void put_prompt(const struct lineedit *lineedit)
{
	fputs(lineedit->prompt, stdout);
	fflush(stdout);
}

/* The terminal itself does the editing. 1 for a line, else 0. */
static int read_plain(struct lineedit *lineedit, const char **ret_line)
{
	size_t length = 0;
	ssize_t got;

	put_prompt(lineedit);
	for (;;) {
		enum spk_lineedit_wake wake = wait_for_input(lineedit);

		if (wake == SPK_LINEEDIT_ABANDON)
			return 0;
		if (wake == SPK_LINEEDIT_REDRAW) {
			putchar('\n');
			put_prompt(lineedit);
			continue;
		}
		got = read(lineedit->input, lineedit->plain + length,
			   sizeof(lineedit->plain) - 1 - length);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0 && length == 0)
			return 0;
		length += got > 0 ? (size_t)got : 0;
		if (got > 0 && lineedit->plain[length - 1] != '\n' &&
		    length < sizeof(lineedit->plain) - 1)
			continue; /* Ctrl+D behind some text: there is more to come */
		lineedit->plain[length] = '\0';
		lineedit->plain[strcspn(lineedit->plain, "\n")] = '\0';
		*ret_line = lineedit->plain;
		return 1;
	}
}

/*
 * A Ctrl+C from before there was a prompt was for what ran then. False when there is a signal that
 * is for this process all the same.
 */
static bool forget_keys(struct lineedit *lineedit)
{
	int number;

	while ((number = signals_next(lineedit->signal_fd)))
		if (number != SIGINT && number != SIGTSTP)
			return false;
	return true;
}

enum lineedit_end lineedit_read(struct lineedit *lineedit, const char *prompt,
				const char **ret_line)
{
	int got;

	if (!forget_keys(lineedit))
		return LINEEDIT_TERMINATED;
	lineedit->prompt = prompt;
	lineedit->end = LINEEDIT_CANCELLED;
	lineedit->has_settings = tcgetattr(STDIN_FILENO, &lineedit->outside) == 0;
	take_redraws(lineedit, NULL);
	fflush(stdout);
	if (lineedit->driver)
		got = lineedit->driver->read(lineedit->editor, prompt, ret_line);
	else
		got = read_plain(lineedit, ret_line);
	if (lineedit->has_settings)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &lineedit->outside);
	return got > 0 ? LINEEDIT_LINE : lineedit->end;
}
