/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question at the terminal, which is /dev/tty, wherever the standard streams lead. The
 * supervisor alone reads it. Nothing here waits: whoever asks polls `terminal` beside all else
 * that may happen (stage.c), and calls prompt_read() when there is something.
 */
#ifndef SPICERACK_HOST_PROMPT_H
#define SPICERACK_HOST_PROMPT_H

#include <termios.h>

#include "question.h"

/* What the kernel keeps of one line, and the NUL. */
#define PROMPT_LINE_SIZE 4096

struct prompt {
	int terminal; /* -1: not open */
	const struct question *question;
	unsigned int tries; /* wrong answers so far */
	bool lent;          /* it is not our own: others may use it before we know */
	bool gone;          /* it was closed: nobody is there to answer */
	struct termios before, settled;
	bool changed;  /* the settings of the terminal */
	char *memory;  /* of secrets: what is being read, and what was read first */
	bool again;    /* the second of two */
	char cue[128]; /* where the answer is typed, as it is shown */
};

/*
 * Takes the terminal (`lent`, which becomes the prompt's, or -1: our own), throws away what was
 * typed before, which cannot be meant, and shows the question. False: `reply` tells why nobody can
 * be asked. `question` is kept until prompt_leave().
 */
bool prompt_open(struct prompt *prompt, const struct question *question, int lent,
		 struct reply *reply);

/*
 * Takes what was typed, or finds the terminal gone. A wrong answer is told and asked for again;
 * after three the question is over, as it is when `reply` is set. A secret in it lives until
 * prompt_close().
 */
void prompt_read(struct prompt *prompt, struct reply *reply);

/* Puts the terminal back as it was. A prompt that is not open is fine, here and below. */
void prompt_leave(struct prompt *prompt, const struct reply *reply);

/* The same, and wipes what was typed. */
void prompt_close(struct prompt *prompt);

#endif
