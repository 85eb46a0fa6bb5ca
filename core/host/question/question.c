/* SPDX-License-Identifier: Apache-2.0 */
#include "question.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../log/record.h"
#include "../log/redactor.h"

void question_complete(struct question *question)
{
	static const char *const confirm[] = {"go", "abort"};
	static const char *const failure[] = {"retry", "skip", "abort"};

	if (question->kind == ASK_CONFIRM)
		question->choices = (spk_strings){confirm, 2};
	else if (question->kind == ASK_FAILURE)
		question->choices = (spk_strings){failure, 3};
}

static void put_clean(const char *text, struct buf *out)
{
	struct buf redacted = {0};

	redactor_apply(redactor_shared(), NULL, text, &redacted);
	record_sanitize(buf_text(&redacted), redacted.length, "\n", out);
	buf_free(&redacted);
}

void question_put_choices(const struct question *question, struct buf *out)
{
	spk_strings choices = question->choices;

	for (size_t i = 0; i < choices.count; i++) {
		buf_puts(out, i == 0 ? "\"" : i + 1 == choices.count ? " or \"" : ", \"");
		put_clean(choices.items[i], out);
		buf_putc(out, '"');
	}
}

void question_render(const struct question *question, struct buf *out)
{
	if (question->kind != ASK_SECRET) {
		buf_puts(out, "\033[36m==>\033[39m ");
		put_clean(question->message, out);
		buf_putc(out, '\n');
	}
	if (question->kind == ASK_CONFIRM) {
		buf_puts(out, "Type \"go\" to proceed or \"abort\" to stop here\n");
	} else if (question->choices.count > 0) {
		buf_puts(out, "Type ");
		question_put_choices(question, out);
		buf_putc(out, '\n');
	}
}

void question_render_complaint(const struct question *question, const char *complaint,
			       struct buf *out)
{
	buf_puts(out, "Invalid response");
	if (complaint) {
		buf_puts(out, ": ");
		put_clean(complaint, out);
	} else if (question->choices.count > 0) {
		buf_puts(out, ", type ");
		question_put_choices(question, out);
	}
	buf_printf(out, ". After %d wrong answers the task is aborted.\n", ASK_TRIES);
}

void question_render_cue(const struct question *question, struct buf *out)
{
	if (question->kind == ASK_SECRET) {
		put_clean(question->message, out);
		buf_puts(out, ": ");
	} else {
		buf_puts(out, "> ");
	}
}

bool question_accepts(const struct question *question, const char *answer)
{
	for (size_t i = 0; i < question->choices.count; i++)
		if (strcmp(question->choices.items[i], answer) == 0)
			return true;
	return false;
}

enum ask_end reply_answer(struct reply *reply, const char *answer, const char *by)
{
	buf_clear(&reply->answer);
	buf_puts(&reply->answer, answer);
	snprintf(reply->by, sizeof(reply->by), "%s", by);
	return reply->end = ASK_ANSWERED;
}

enum ask_end reply_refuse(struct reply *reply, enum ask_end end, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reply->why.text, sizeof(reply->why.text), format, args);
	va_end(args);
	return reply->end = end;
}

void reply_log(const struct question *question, const struct reply *reply, struct log *log)
{
	if (reply->end == ASK_ABORTED)
		log_warning(log, "Question %s: \"%s\" was answered by Ctrl+C, which is an abort",
			    question->name, question->message);
	else if (reply->end == ASK_ANSWERED && question->kind == ASK_SECRET)
		log_info(log, "Question %s: a secret was given by %s", question->name, reply->by);
	else if (reply->end == ASK_ANSWERED && question->kind != ASK_TEXT)
		log_info(log, "Question %s: \"%s\" was answered \"%s\" by %s", question->name,
			 question->message, buf_text(&reply->answer), reply->by);
}

void reply_free(struct reply *reply)
{
	buf_free(&reply->answer);
	reply->secret = NULL;
}
