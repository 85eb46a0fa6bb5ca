/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of a cookbook: the supervisor asks them, the answers are judged here. */
#include <spicerack/prompt.h>

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <spicerack/config.h>
#include <spicerack/secret.h>
#include <spicerack/session.h>
#include <spicerack/text.h>

#include "../runtime/guard.h"
#include "../runtime/misuse.h"
#include "../runtime/protocol.h"
#include "../runtime/secretlist.h"
#include "../runtime/testing.h"
#include "secrethandle.h"

#define QUESTION_1_0 SIZE_UP_TO(struct spk_question, arg)
#define NAME_MAX_LENGTH 60
#define KIND_ABORTED "aborted"

/* A question as it is sent; see REQUEST_ASK. */
struct asked {
	enum ask_kind kind;
	const char *name, *message;
	spk_strings choices;
	uint64_t tries;
	const char *complaint;
	uint64_t flags;
};

struct answer {
	enum ask_end end;
	const char *text; /* the answer, or why there is none */
	const char *by;
};

/* ---- names ---- */

/* Behind a `%`: up to the letter that ends the directive. */
static const char *skip_directive(const char *format)
{
	format += strspn(format, "-+ #0123456789.*'hlqjzt");
	return *format ? format + 1 : format;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
}

/* Words of a text or a format, joined by dashes; see prompt.h. */
static const char *make_name(struct spk *spk, const char *prefix, const char *text, bool format)
{
	char name[NAME_MAX_LENGTH + 1];
	size_t length = 0;
	bool gap = false;

	while (*text && length < NAME_MAX_LENGTH - 1) {
		char c = *text++;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (format && c == '%') {
			text = skip_directive(text);
			gap = true;
		} else if (is_word(c) && (c != '.' || is_word(*text))) {
			if (gap && length > 0)
				name[length++] = '-';
			name[length++] = c;
			gap = false;
		} else {
			gap = true;
		}
	}
	name[length] = '\0';
	return spk_format(spk, "%s%s", prefix, length > 0 ? name : "question");
}

/* ---- asking ---- */

static SPK_NORETURN void raise_unanswered(struct spk *spk, const struct asked *asked,
					  const struct answer *answer)
{
	const char *kind = answer->end == ASK_NO_TERMINAL ? "prompt.terminal" : "prompt.unanswered";

	spk_raise(spk, kind, NULL, "cannot ask '%s' [%s]: %s", asked->message, asked->name,
		  *answer->text ? answer->text : "the question was ended");
}

/* The answer to be read is in *ret_message. Raises when the run is being interrupted. */
static enum ask_end request(struct spk *spk, const struct asked *asked, struct message *ret_message)
{
	struct buf body = {0};
	enum ask_end end;

	if (testing_step(spk, true, "question '%s'", asked->name))
		spk_raise(spk, KIND_ABORTED, NULL, "the test aborts the question '%s'",
			  asked->name);
	wire_put_number(&body, asked->kind);
	wire_put_text(&body, asked->name);
	wire_put_text(&body, asked->message);
	wire_put_texts(&body, asked->choices);
	wire_put_number(&body, asked->tries);
	wire_put_text(&body, asked->complaint);
	wire_put_number(&body, asked->flags);
	/* The supervisor ends the question; this process learns of it from the answer. */
	spk->uninterruptible++;
	session_request(spk, REQUEST_ASK, &body, ret_message);
	spk->uninterruptible--;
	buf_free(&body);
	end = (enum ask_end)wire_get_number(&ret_message->body);
	if (end != ASK_ANSWERED)
		session_check_interrupt(spk);
	return end;
}

static const char *copy_text(struct spk *spk, struct wire_reader *body)
{
	const char *text = wire_get_text(body);

	return spk_format(spk, "%s", text ? text : "");
}

/* Not for secrets: what was answered is copied. `aborted` says what Ctrl+C raises. */
static struct answer ask(struct spk *spk, const struct asked *asked, const char *aborted)
{
	struct answer answer;
	struct message message;

	answer.end = request(spk, asked, &message);
	answer.text = copy_text(spk, &message.body);
	answer.by = copy_text(spk, &message.body);
	if (answer.end == ASK_ABORTED)
		spk_raise(spk, KIND_ABORTED, NULL, "%s", aborted);
	return answer;
}

/* ---- confirmations ---- */

static void confirm(struct spk *spk, const char *name, const char *message)
{
	static const char aborted[] = "Confirmation manually aborted";
	struct asked asked = {.kind = ASK_CONFIRM, .name = name, .message = message};
	struct answer answer = ask(spk, &asked, aborted);

	if (answer.end != ASK_ANSWERED)
		raise_unanswered(spk, &asked, &answer);
	if (!spk_streq(answer.text, "go"))
		spk_raise(spk, KIND_ABORTED, NULL, "%s", aborted);
}

void spk_ask_confirmation(struct spk *spk, const char *format, ...)
{
	const char *message;
	va_list args;

	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(format);
	va_start(args, format);
	message = spk_vformat(spk, format, args);
	va_end(args);
	confirm(spk, make_name(spk, "", format, true), message);
}

void spk_ask_confirmation_as(struct spk *spk, const char *name, const char *format, ...)
{
	const char *message;
	va_list args;

	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(name);
	CHECK_NOT_EMPTY(format);
	va_start(args, format);
	message = spk_vformat(spk, format, args);
	va_end(args);
	confirm(spk, name, message);
}

/* ---- input ---- */

struct judged {
	const struct spk_question *question;
	const char *answer;
};

static void judge(struct spk *spk, void *arg)
{
	const struct judged *judged = arg;

	if (*judged->answer == '\0')
		spk_fail(spk, "nothing was typed");
	judged->question->validate(spk, judged->answer, judged->question->arg);
}

/* What is wrong with an answer; NULL: it is good. */
static const char *complaint_about(struct spk *spk, const struct spk_question *question,
				   const struct answer *answer)
{
	struct judged judged = {.question = question, .answer = answer->text};
	const struct spk_error *error = NULL;

	if (answer->end == ASK_INVALID)
		return *answer->text ? answer->text : "nothing was typed";
	if (spk_try(spk, judge, &judged, &error))
		return NULL;
	if (spk_error_is(error, KIND_ABORTED))
		spk_raise_again(spk, error);
	return spk_error_message(error);
}

static const char *ask_for_text(struct spk *spk, const struct spk_question *question,
				struct asked *asked)
{
	for (;;) {
		struct answer answer = ask(spk, asked, "Input manually aborted");

		if (answer.end != ASK_ANSWERED && answer.end != ASK_INVALID)
			raise_unanswered(spk, asked, &answer);
		asked->complaint = complaint_about(spk, question, &answer);
		if (!asked->complaint) {
			spk_info(spk, "Question %s: \"%s\" was answered \"%s\" by %s", asked->name,
				 asked->message, answer.text, answer.by);
			return answer.text;
		}
		asked->tries++;
	}
}

const char *spk_ask_input(struct spk *spk, const struct spk_question *question)
{
	struct spk_question known = {0};
	struct asked asked = {.kind = ASK_TEXT};
	struct answer answer;

	CHECK_SPK(spk);
	CHECK_GIVEN(question);
	adopt_structure(__func__, "question", "SPK_QUESTION", question, &known, sizeof(known),
			QUESTION_1_0);
	CHECK_NOT_EMPTY(known.message);
	CHECK_LIST(known.choices);
	if ((known.choices.count > 0) == (known.validate != NULL))
		session_misuse(__func__, "give either choices or a validator");
	asked.message = known.message;
	asked.name = known.name ? known.name : make_name(spk, "", known.message, false);
	if (known.validate)
		return ask_for_text(spk, &known, &asked);
	asked.kind = ASK_CHOICE;
	asked.choices = known.choices;
	answer = ask(spk, &asked, "Input manually aborted");
	if (answer.end != ASK_ANSWERED)
		raise_unanswered(spk, &asked, &answer);
	return answer.text;
}

/* ---- what may fail ---- */

/* Whether to try again; otherwise to skip. */
static bool ask_to_retry(struct spk *spk, const char *what, const struct spk_error *error)
{
	static const char aborted[] = "Task manually aborted";
	struct asked asked = {
		.kind = ASK_FAILURE,
		.name = make_name(spk, "failed-", what, false),
		.message = spk_format(spk, "Failed to %s. What do you want to do?", what),
	};
	struct answer answer;

	if (spk_error_is(error, KIND_ABORTED))
		spk_raise_again(spk, error);
	spk_error(spk, "Failed to %s: %s", what, spk_error_message(error));
	answer = ask(spk, &asked, aborted);
	if (answer.end != ASK_ANSWERED) {
		spk_warn(spk, "cannot ask what to do about it [%s]: %s", asked.name, answer.text);
		spk_raise_again(spk, error);
	}
	if (spk_streq(answer.text, "abort"))
		spk_raise(spk, KIND_ABORTED, error, "%s", aborted);
	return spk_streq(answer.text, "retry");
}

bool spk_confirm_on_failure(struct spk *spk, const char *what, spk_action *action, void *arg)
{
	const struct spk_error *error = NULL;

	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(what);
	CHECK_GIVEN(action);
	while (!spk_try(spk, action, arg, &error))
		if (!ask_to_retry(spk, what, error))
			return false;
	return true;
}

struct making {
	spk_maker *make;
	void *arg;
	const void *value;
};

static void call_maker(struct spk *spk, void *arg)
{
	struct making *making = arg;

	making->value = making->make(spk, making->arg);
}

bool spk_confirm_on_failure_then(struct spk *spk, const char *what, spk_maker *make, spk_user *use,
				 void *arg)
{
	struct making making = {.make = make, .arg = arg};

	CHECK_SPK(spk);
	CHECK_GIVEN(make);
	CHECK_GIVEN(use);
	if (!spk_confirm_on_failure(spk, what, call_maker, &making))
		return false;
	use(spk, making.value, arg);
	return true;
}

/* ---- secrets ---- */

static struct spk_secret *ask_for_secret(struct spk *spk, const char *title, uint64_t flags)
{
	struct asked asked = {
		.kind = ASK_SECRET,
		.name = make_name(spk, "", title, false),
		.message = title,
		.flags = flags,
	};
	struct spk_secret *secret = secret_new(spk);
	struct answer answer = {0};
	struct message message;

	answer.end = request(spk, &asked, &message);
	if (answer.end == ASK_ANSWERED) {
		/* The supervisor redacts it already. */
		secret_keep(spk, secret, wire_get_text(&message.body));
		channel_wipe(&spk->requests);
		return secret;
	}
	answer.text = copy_text(spk, &message.body);
	if (answer.end == ASK_ABORTED)
		spk_raise(spk, KIND_ABORTED, NULL, "Input manually aborted");
	raise_unanswered(spk, &asked, &answer);
}

struct spk_secret *spk_get_secret(struct spk *spk, const char *title, bool confirm)
{
	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(title);
	return ask_for_secret(spk, title, confirm ? ASK_TWICE : 0);
}

struct spk_secret *spk_management_password(struct spk *spk)
{
	const char *file;

	CHECK_SPK(spk);
	file = spk_format(spk, "%s/management/password", spk_config_dir(spk));
	if (access(file, R_OK) == 0 || (errno != ENOENT && errno != ENOTDIR && errno != EACCES))
		return spk_secret_read_file(spk, file);
	spk_debug(spk, "'%s' cannot be read (%s): asking for the password", file,
		  strerrorname_np(errno));
	return ask_for_secret(spk, "Management Password", ASK_KEEP);
}

void spk_ensure_durable_shell(struct spk *spk)
{
	struct message answer;

	CHECK_SPK(spk);
	session_request(spk, REQUEST_DURABLE, NULL, &answer);
	if (wire_get_number(&answer.body) == 0)
		spk_raise(spk, "prompt.shell", NULL,
			  "this shell ends with its connection, and the run with it: start it "
			  "with --detach, or in tmux or screen");
}
