/* SPDX-License-Identifier: Apache-2.0 */
#include "prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "../../runtime/printable.h"
#include "../../runtime/secretmem.h"
#include "answers.h"

/* The line that is read, and the one before it. */
#define MEMORY_SIZE (2 * (size_t)PROMPT_LINE_SIZE)
/* Characters of a secret. */
#define SECRET_CHARACTERS 6
/* So long we wait for a terminal that takes nothing (Ctrl+S). */
#define PATIENCE_MS 1000

static void put(const struct prompt *prompt, const char *text)
{
	struct pollfd ready = {.fd = prompt->terminal, .events = POLLOUT};
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t done = write(prompt->terminal, text, left);

		if (done > 0) {
			text += done;
			left -= (size_t)done;
		} else if (errno == EAGAIN && poll(&ready, 1, PATIENCE_MS) > 0) {
			continue;
		} else if (errno != EINTR) {
			return; /* reading will tell */
		}
	}
}

static void put_buf(const struct prompt *prompt, struct buf *text)
{
	put(prompt, buf_text(text));
	buf_free(text);
}

static void set_cue(struct prompt *prompt)
{
	struct buf text = {0};

	if (prompt->again)
		buf_puts(&text, "Again, ");
	question_render_cue(prompt->question, &text);
	snprintf(prompt->cue, sizeof(prompt->cue), "%s", buf_text(&text));
	buf_free(&text);
}

/* ---- the terminal ---- */

/* What was typed and not read is thrown away. A lent terminal that stands still is not waited for.
 */
static int set(const struct prompt *prompt, const struct termios *wanted)
{
	if (!prompt->lent)
		return tcsetattr(prompt->terminal, TCSAFLUSH, wanted);
	tcflush(prompt->terminal, TCIFLUSH);
	return tcsetattr(prompt->terminal, TCSANOW, wanted);
}

/* Lines, signals by keys, and what is typed seen unless it is secret: whatever it was before. */
static int settle(struct prompt *prompt)
{
	struct termios wanted;

	if (tcgetattr(prompt->terminal, &prompt->before) < 0)
		return -1;
	wanted = prompt->before;
	wanted.c_iflag |= ICRNL;
	wanted.c_lflag |= ICANON | ISIG | ECHO;
	if (prompt->question->kind == ASK_SECRET)
		wanted.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	if (set(prompt, &wanted) < 0)
		return -1;
	prompt->changed = true;
	return tcgetattr(prompt->terminal, &prompt->settled);
}

/* A lent terminal may have gone back to a shell, which has settings of its own. */
static void put_back(struct prompt *prompt)
{
	struct termios now;

	memset(&now, 0, sizeof(now));
	if (!prompt->lent || (tcgetattr(prompt->terminal, &now) == 0 &&
			      memcmp(&now, &prompt->settled, sizeof(now)) == 0))
		set(prompt, &prompt->before);
	prompt->changed = false;
}

static bool is_in_background(int terminal)
{
	pid_t group = tcgetpgrp(terminal);

	return group >= 0 && group != getpgrp();
}

static bool refuse(struct prompt *prompt, struct reply *reply, const char *why)
{
	const struct question *question = prompt->question;
	struct buf hint = {0};

	answers_put_hint(question, &hint);
	reply_refuse(reply, ASK_NO_TERMINAL, "%s: %s", why, buf_text(&hint));
	buf_free(&hint);
	prompt_leave(prompt, reply);
	return false;
}

bool prompt_open(struct prompt *prompt, const struct question *question, int lent,
		 struct reply *reply)
{
	struct buf text = {0};
	struct err err;

	memset(prompt, 0, sizeof(*prompt));
	prompt->question = question;
	prompt->tries = question->tries;
	prompt->lent = lent >= 0;
	prompt->terminal = prompt->lent
				   ? lent
				   : open("/dev/tty", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (prompt->terminal < 0)
		return refuse(prompt, reply, "there is no terminal to ask at");
	/* From the background we would be stopped, and the run with nobody to watch it. */
	signal(SIGTTIN, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	if (!prompt->lent && is_in_background(prompt->terminal))
		return refuse(prompt, reply, "the terminal cannot be asked at from the background");
	prompt->memory = secretmem_map(MEMORY_SIZE, NULL, &err);
	if (!prompt->memory)
		return refuse(prompt, reply, err.text);
	if (settle(prompt) < 0)
		return refuse(prompt, reply, "the terminal cannot be set up to ask at");
	set_cue(prompt);
	if (question->complaint)
		question_render_complaint(question, question->complaint, &text);
	/* The child has heard of all of them. */
	if (prompt->tries >= ASK_TRIES) {
		put_buf(prompt, &text);
		reply_refuse(reply, ASK_UNANSWERED, "Too many invalid answers");
		prompt_leave(prompt, reply);
		return false;
	}
	if (prompt->tries == 0)
		question_render(question, &text);
	put_buf(prompt, &text);
	put(prompt, prompt->cue);
	return true;
}

void prompt_leave(struct prompt *prompt, const struct reply *reply)
{
	if (prompt->terminal < 0)
		return;
	/* The cursor is behind the place for the answer. */
	if (prompt->changed && reply->end != ASK_ANSWERED && reply->end != ASK_INVALID &&
	    prompt->tries < ASK_TRIES)
		put(prompt, "\n");
	if (prompt->changed)
		put_back(prompt);
	fd_close(&prompt->terminal);
}

void prompt_close(struct prompt *prompt)
{
	const struct reply nothing = {.end = ASK_ENDED};

	prompt_leave(prompt, &nothing);
	secretmem_unmap(prompt->memory, MEMORY_SIZE);
	prompt->memory = NULL;
}

/* ---- what is typed ---- */

static void complain(struct prompt *prompt, struct reply *reply, const char *complaint)
{
	struct buf text = {0};

	prompt->again = false;
	if (prompt->question->kind == ASK_TEXT) {
		/* The child counts, as it does what it refuses itself. */
		reply_refuse(reply, ASK_INVALID, "%s", complaint ? complaint : "nothing was typed");
		return;
	}
	question_render_complaint(prompt->question, complaint, &text);
	put_buf(prompt, &text);
	if (++prompt->tries >= ASK_TRIES) {
		reply_refuse(reply, ASK_UNANSWERED, "Too many invalid answers");
		return;
	}
	tcflush(prompt->terminal, TCIFLUSH);
	set_cue(prompt);
	put(prompt, prompt->cue);
}

static size_t count_characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

static void take_secret(struct prompt *prompt, struct reply *reply)
{
	char *line = prompt->memory, *first = prompt->memory + PROMPT_LINE_SIZE;

	put(prompt, "\n"); /* the operator's own is not seen */
	if (has_control(line)) {
		complain(prompt, reply, "it has control characters in it, of an arrow key perhaps");
	} else if (count_characters(line) < SECRET_CHARACTERS) {
		complain(prompt, reply, "it must have at least 6 characters");
	} else if (prompt->question->twice && !prompt->again) {
		memcpy(first, line, PROMPT_LINE_SIZE);
		prompt->again = true;
		set_cue(prompt);
		put(prompt, prompt->cue);
	} else if (prompt->again && strcmp(first, line) != 0) {
		complain(prompt, reply, "the two are not the same");
	} else {
		reply_answer(reply, "", "the operator");
		reply->secret = line;
	}
}

static void take_line(struct prompt *prompt, struct reply *reply)
{
	const struct question *question = prompt->question;
	const char *line = prompt->memory;

	if (question->kind == ASK_SECRET)
		take_secret(prompt, reply);
	else if (!printable_is(line, strlen(line)))
		complain(prompt, reply,
			 question->kind == ASK_TEXT ? "it has characters in it that are no text"
						    : NULL);
	else if (question->kind == ASK_TEXT || question_accepts(question, line))
		reply_answer(reply, line, "the operator");
	else
		complain(prompt, reply, NULL);
}

void prompt_read(struct prompt *prompt, struct reply *reply)
{
	struct pollfd gone = {.fd = prompt->terminal};
	char *line = prompt->memory;
	ssize_t got = read(prompt->terminal, line, PROMPT_LINE_SIZE - 1);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0 || (got == 0 && poll(&gone, 1, 0) > 0)) {
		prompt->gone = true;
		return;
	}
	if (got == 0) { /* Ctrl+D */
		put(prompt, "\n");
		complain(prompt, reply, NULL);
		return;
	}
	if (line[got - 1] == '\n')
		got--;
	line[got] = '\0';
	if (strlen(line) != (size_t)got)
		complain(prompt, reply,
			 prompt->question->choices.count > 0 ? NULL : "it has a NUL in it");
	else
		take_line(prompt, reply);
	/* A secret that is not the answer yet. */
	if (reply->secret != line)
		explicit_bzero(line, PROMPT_LINE_SIZE);
}
