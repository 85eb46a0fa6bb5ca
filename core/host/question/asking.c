/* SPDX-License-Identifier: Apache-2.0 */
#include "asking.h"

#include <string.h>

#include "../../runtime/secretmem.h"
#include "../../runtime/wire.h"
#include "../log/redactor.h"

/* For a reply with a secret in it; all of its other items are short. */
#define REPLY_SIZE (2 * (size_t)PROMPT_LINE_SIZE)

/* The secret that is asked for once; NULL: it was not yet. Of PROMPT_LINE_SIZE bytes. */
static char *kept;

static void await_operator(struct asking *asking)
{
	reply_free(&asking->reply);
	asking->reply = (struct reply){0};
	if (!asking->waits)
		console_await_operator(asking->console);
	asking->waits = true;
}

/* At the terminal of the run; where that may come later, it is waited for. */
static void show(struct asking *asking)
{
	int lent;

	/* Where it was before does not matter here. */
	console_has_moved(asking->console);
	if (console_place(asking->console, &lent) == CONSOLE_NONE && console_waits(asking->console))
		await_operator(asking);
	else if (prompt_open(&asking->prompt, &asking->question, lent, &asking->reply))
		log_hold(asking->log, asking->prompt.cue);
	else if (asking->reply.end == ASK_NO_TERMINAL && console_waits(asking->console))
		await_operator(asking);
}

void asking_begin(struct asking *asking, const struct question *question, struct answers *answers,
		  struct log *log, struct console *console)
{
	struct reply *reply = &asking->reply;

	*asking = (struct asking){
		.question = *question,
		.prompt = {.terminal = -1},
		.log = log,
		.console = console,
	};
	question_complete(&asking->question);
	if (asking->question.kind == ASK_SECRET && asking->question.keep && kept) {
		reply_answer(reply, "", "the operator, earlier");
		reply->secret = kept;
		return;
	}
	if (!answers_apply(answers, &asking->question, reply))
		show(asking);
}

void asking_move(struct asking *asking)
{
	log_hold(asking->log, NULL);
	prompt_close(&asking->prompt);
	show(asking);
}

void asking_read(struct asking *asking)
{
	prompt_read(&asking->prompt, &asking->reply);
	if (!asking->prompt.gone)
		return;
	if (console_waits(asking->console)) {
		console_hang_up(asking->console, "the terminal has gone");
		asking_move(asking);
	} else {
		reply_refuse(&asking->reply, ASK_UNANSWERED, "the terminal has gone");
	}
}

bool asking_is_open(const struct asking *asking)
{
	return asking->reply.end == 0;
}

/* From here on it is redacted. */
static void register_secret(struct asking *asking)
{
	struct reply *reply = &asking->reply;
	struct err err;

	if (redactor_add(redactor_shared(), reply->secret, &err) < 0) {
		reply->secret = NULL;
		reply_refuse(reply, ASK_UNANSWERED, "cannot keep a secret: %s", err.text);
		return;
	}
	if (!asking->question.keep || kept)
		return;
	kept = secretmem_map(PROMPT_LINE_SIZE, NULL, &err);
	if (kept)
		memcpy(kept, reply->secret, strlen(reply->secret) + 1);
}

void asking_settle(struct asking *asking)
{
	if (asking->reply.secret)
		register_secret(asking);
	log_hold(asking->log, NULL);
	prompt_leave(&asking->prompt, &asking->reply);
	reply_log(&asking->question, &asking->reply, asking->log);
}

void asking_send_reply(struct asking *asking, struct link *link)
{
	struct reply *reply = &asking->reply;
	struct buf body = {0};
	struct err err;
	char *memory = NULL;

	if (reply->secret) {
		memory = secretmem_map(REPLY_SIZE, NULL, &err);
		/* A buffer that need not grow stays where it is. */
		if (memory)
			body = (struct buf){.text = memory, .capacity = REPLY_SIZE};
		else
			reply_refuse(reply, ASK_UNANSWERED, "%s", err.text);
	}
	wire_put_number(&body, reply->end);
	wire_put_text(&body, reply->end != ASK_ANSWERED ? reply->why.text
			     : reply->secret            ? reply->secret
							: buf_text(&reply->answer));
	wire_put_text(&body, reply->by);
	link_answer(link, &body);
	if (memory)
		secretmem_unmap(memory, REPLY_SIZE);
	else
		buf_free(&body);
}

void asking_end(struct asking *asking)
{
	prompt_close(&asking->prompt);
	reply_free(&asking->reply);
}

void asking_forget(void)
{
	secretmem_unmap(kept, PROMPT_LINE_SIZE);
	kept = NULL;
}
