/* SPDX-License-Identifier: Apache-2.0 */
#include "prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../runtime/buf.h"
#include "../runtime/fd.h"
#include "record.h"
#include "signals.h"

#define TRIES 3
#define ANSWER_MAX 4096

static void put(int terminal, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t done = write(terminal, text, left);

		if (done < 0 && errno != EINTR)
			return; /* reading will tell */
		if (done > 0) {
			text += done;
			left -= (size_t)done;
		}
	}
}

/* What the operator may answer, for people: "a", "b" or "c". */
static void put_choices(spk_strings choices, struct buf *out)
{
	for (size_t i = 0; i < choices.count; i++)
		buf_printf(out, "%s\"%s\"",
			   i == 0                   ? ""
			   : i + 1 == choices.count ? " or "
						    : ", ",
			   choices.items[i]);
}

/*
 * One line, without its end, cut at the size; the terminal itself does the editing. 1: there
 * it is; 0: end of the input; -1: a signal came first.
 */
static int read_line(int terminal, int signal_fd, char *line, size_t size)
{
	for (;;) {
		struct pollfd fds[2] = {
			{.fd = terminal, .events = POLLIN},
			{.fd = signal_fd, .events = POLLIN},
		};
		ssize_t got;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return 0;
		if (fds[1].revents)
			return -1;
		if (!fds[0].revents)
			continue;
		got = read(terminal, line, size - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return 0;
		line[got] = '\0';
		line[strcspn(line, "\n")] = '\0';
		return 1;
	}
}

static bool find_choice(spk_strings choices, const char *answer, size_t *ret_choice)
{
	for (size_t i = 0; i < choices.count; i++)
		if (strcmp(choices.items[i], answer) == 0) {
			*ret_choice = i;
			return true;
		}
	return false;
}

/*
 * Ctrl+C is the answer to the question; anything else is for whoever waits next, but for
 * Ctrl+Z, which is no answer. False: the question stands.
 */
static bool take_interrupt(int signal_fd)
{
	int number = signals_next(signal_fd);

	if (number && number != SIGINT && number != SIGTSTP)
		kill(getpid(), number);
	return number && number != SIGTSTP;
}

/* As read_line(), whatever cannot end the question. */
static int get_answer(int terminal, int signal_fd, char *line, size_t size)
{
	for (;;) {
		int got;

		put(terminal, "> ");
		got = read_line(terminal, signal_fd, line, size);
		if (got <= 0)
			put(terminal, "\n");
		if (got >= 0 || take_interrupt(signal_fd))
			return got;
		put(terminal, "Ctrl+Z is ignored: a cookbook cannot be suspended\n");
	}
}

static enum prompt_end ask(int terminal, const char *message, spk_strings choices, int signal_fd,
			   size_t *ret_choice, struct err *err)
{
	enum prompt_end end = PROMPT_UNANSWERED;
	struct buf text = {0}, accepted = {0};
	char answer[ANSWER_MAX];
	int got = 0;

	put_choices(choices, &accepted);
	buf_puts(&text, "\033[36m==>\033[39m ");
	record_sanitize(message, strlen(message), "\n", &text);
	buf_printf(&text, "\nType %s\n", buf_text(&accepted));
	put(terminal, buf_text(&text));
	for (int i = 0; i < TRIES && end == PROMPT_UNANSWERED; i++) {
		got = get_answer(terminal, signal_fd, answer, sizeof(answer));
		if (got < 0) {
			end = PROMPT_ABORTED;
		} else if (got == 0) {
			err_set(err, "the terminal gave no answer");
			break;
		} else if (find_choice(choices, answer, ret_choice)) {
			end = PROMPT_ANSWERED;
		} else {
			buf_clear(&text);
			buf_printf(&text,
				   "Invalid response, type %s. After %d wrong answers the "
				   "task is aborted.\n",
				   buf_text(&accepted), TRIES);
			put(terminal, buf_text(&text));
		}
	}
	if (end == PROMPT_UNANSWERED && got > 0)
		err_set(err, "Too many invalid answers");
	buf_free(&text);
	buf_free(&accepted);
	return end;
}

enum prompt_end prompt_choose(const char *message, spk_strings choices, int signal_fd,
			      size_t *ret_choice, struct err *err)
{
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	enum prompt_end end;

	if (terminal < 0) {
		err_set(err, "there is no terminal to ask at");
		return PROMPT_NO_TERMINAL;
	}
	end = ask(terminal, message, choices, signal_fd, ret_choice, err);
	fd_close(&terminal);
	return end;
}
