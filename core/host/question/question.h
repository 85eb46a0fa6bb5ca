/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question to the operator and what became of it, wherever the answer comes from: the
 * terminal (prompt.h) or what was said before the run (answers.h).
 */
#ifndef SPICERACK_HOST_QUESTION_H
#define SPICERACK_HOST_QUESTION_H

#include <spicerack/value.h>

#include "../../runtime/buf.h"
#include "../../runtime/err.h"
#include "../../runtime/protocol.h"
#include "../log/log.h"

/* All of it is hostile. It belongs to whoever asks. */
struct question {
	enum ask_kind kind;
	const char *cookbook; /* who asks */
	const char *name, *message;
	spk_strings choices;
	unsigned int tries;    /* wrong answers so far */
	const char *complaint; /* about the last of them; may be NULL */
	bool twice, keep;      /* of a secret */
};

/* What became of it; zero-initialised: it is still open. Freed by reply_free(). */
struct reply {
	enum ask_end end;
	struct buf answer;  /* the text, unless it is a secret */
	const char *secret; /* that; in secret memory of somebody else */
	char by[320];       /* who answered: "the operator", "--yes" ... */
	struct err why;     /* there is none: the reason */
};

/* Fills in the choices of those kinds that have their own. */
void question_complete(struct question *question);

/* What the operator may answer, for people: "a", "b" or "c". */
void question_put_choices(const struct question *question, struct buf *out);

/* The question as it is shown: clean, without secrets; lines, a secret has none. */
void question_render(const struct question *question, struct buf *out);

/* What was wrong with the last answer, `complaint` or what may be typed; a line. */
void question_render_complaint(const struct question *question, const char *complaint,
			       struct buf *out);

/* Where the answer is typed: "> ", or the title of a secret. */
void question_render_cue(const struct question *question, struct buf *out);

/* Whether `answer` is one of the choices. */
bool question_accepts(const struct question *question, const char *answer);

/* Ends it. Each returns what `reply->end` is then. */
enum ask_end reply_answer(struct reply *reply, const char *answer, const char *by);
enum ask_end reply_refuse(struct reply *reply, enum ask_end end, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));

/*
 * Logs who answered what. Of an invalid answer nothing is logged, it might be a secret typed
 * into the wrong question; of ASK_TEXT the child logs it, which alone knows that it is valid.
 */
void reply_log(const struct question *question, const struct reply *reply, struct log *log);

void reply_free(struct reply *reply);

#endif
