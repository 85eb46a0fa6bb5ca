/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question from its beginning to its answer, wherever that comes from: an answer given
 * before the run, a secret given already, the operator at the terminal.
 */
#ifndef SPICERACK_HOST_ASKING_H
#define SPICERACK_HOST_ASKING_H

#include "answers.h"
#include "../console/console.h"
#include "../run/link.h"
#include "prompt.h"

struct asking {
	struct question question;
	struct prompt
		prompt; /* whose terminal, if it has one, is polled while the question is open */
	struct reply reply;
	struct log *log;
	struct console *console; /* NULL: the run is not durable */
	bool waits;              /* for an operator: that was told */
};

/*
 * Begins. What `question` points to must live until asking_end(). `answers` may be NULL.
 */
void asking_begin(struct asking *asking, const struct question *question, struct answers *answers,
		  struct log *log, struct console *console);

/* There is something to read at the prompt's terminal. */
void asking_read(struct asking *asking);

/* The run has another terminal: asks there, or waits until there is one. */
void asking_move(struct asking *asking);

/* Whether the operator is still to answer. */
bool asking_is_open(const struct asking *asking);

/* When it is not open any more: puts the terminal back and logs what became of it. */
void asking_settle(struct asking *asking);

/* Then: answers the child's REQUEST_ASK. */
void asking_send_reply(struct asking *asking, struct link *link);

/* Wipes what was typed. */
void asking_end(struct asking *asking);

/* Wipes the secret that was given once for all runs of this process. */
void asking_forget(void);

#endif
