/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to the operator. The host asks them on the terminal, in dry-run, too; the cookbook
 * never sees that. Deadlines, signals and the output of others go on while one waits.
 *
 * Every question has a name, by which an unattended run answers it (cookbook(1), --answers): what
 * the author gives it, else its words in lower case, joined by dashes, without what stands for
 * arguments: "Reboot %s now?" is `reboot-now`.
 *
 * Answers are logged with who gave them; wrong ones are not. Ctrl+C at a question raises
 * `aborted`. All raise `prompt.terminal` where there is no terminal and nothing else answers the
 * question, and `prompt.unanswered` after three wrong answers (Ctrl+D is one), when the terminal
 * goes away, or when the file of answers has no good one.
 */
#ifndef SPICERACK_PROMPT_H
#define SPICERACK_PROMPT_H

#include <spicerack/error.h>
#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_secret;

/*
 * Asks for `go` or `abort`. Returns for go; abort raises `aborted`, as "Confirmation manually
 * aborted". --yes answers go. Since 1.0.
 */
SPK_API void spk_ask_confirmation(struct spk *spk, const char *format, ...) SPK_PRINTF(2, 3);

/* The same under a name of its own. Since 1.0. */
SPK_API void spk_ask_confirmation_as(struct spk *spk, const char *name, const char *format, ...)
	SPK_PRINTF(3, 4);

/*
 * Judges an answer: returns when it is good, else refuses it by spk_fail() with what is wrong,
 * which the operator is told before the next try. It may leave what it made of it in `arg`.
 */
typedef void spk_validator(struct spk *spk, const char *answer, void *arg);

/* A question with an answer of its own: exactly one of `choices` and `validate` is given. */
struct spk_question {
	uint32_t size; /* set by SPK_QUESTION() */
	uint32_t reserved;
	const char *message;
	const char *name; /* default: made of the message */
	spk_strings choices;
	spk_validator *validate;
	void *arg; /* for validate */
};

/* SPK_QUESTION("In which datacenter?", .choices = SPK_STRINGS("codfw", "eqiad")) */
#define SPK_QUESTION(message_, ...)                                                                \
	(&(const struct spk_question){                                                             \
		.size = sizeof(struct spk_question), .message = (message_), ##__VA_ARGS__})

/*
 * Asks for one line: one of the choices, typed in full, or whatever passes the validator, at
 * least one character. The answer belongs to the run. An error of the validator that is not
 * spk_fail()'s counts as a refusal, too, but for `interrupted` and `aborted`. --yes
 * answers nothing here. Since 1.0.
 */
SPK_API SPK_MUST_CHECK const char *spk_ask_input(struct spk *spk,
						 const struct spk_question *question);

/*
 * Calls action(spk, arg). When it raises, logs "Failed to " `what` and the error, and asks the
 * operator: retry calls it again; skip returns false; abort raises `aborted`, as "Task manually
 * aborted". True when it returned. An error of the kinds `interrupted` and `aborted` is not asked
 * about. Where nobody can be asked the error goes on; --yes aborts. The name of the question
 * is `failed-` and the words of `what`, so let that be a constant.
 *
 * Of what the action left in `arg` nothing is known after a skip: a value that is needed
 * comes by spk_confirm_on_failure_then(). Since 1.0.
 */
SPK_API SPK_MUST_CHECK bool spk_confirm_on_failure(struct spk *spk, const char *what,
						   spk_action *action, void *arg);

/* Makes a value, which belongs to the run. */
typedef const void *spk_maker(struct spk *spk, void *arg);
/* Uses it. */
typedef void spk_user(struct spk *spk, const void *value, void *arg);

/*
 * The same for what has a value: use(spk, value, arg) is called with what make(spk, arg)
 * returned, once, and not at all after a skip. There is no other way to the value, so that a
 * skipped one cannot be used by mistake. What `use` raises is not asked about. Since 1.0.
 */
SPK_API SPK_MUST_CHECK bool spk_confirm_on_failure_then(struct spk *spk, const char *what,
							spk_maker *make, spk_user *use, void *arg);

/*
 * Asks for a secret, which is not shown, of at least 6 characters; twice when `confirm`, until both
 * are the same, within the three tries. `title` stands before it: "Password". It is redacted from
 * everything before this returns. No option answers it. Otherwise as spk_secret_from(). Since 1.0.
 */
SPK_API struct spk_secret *spk_get_secret(struct spk *spk, const char *title, bool confirm);

/*
 * The password of the management controllers: what is in CONFIG_DIR/management/password (as
 * spk_secret_read_file(), which raises `secret.file`); where there is no such file, or the caller
 * may not read it, it is asked for, once for the operator's run and all runs within it. Since 1.0.
 */
SPK_API struct spk_secret *spk_management_password(struct spk *spk);

/*
 * Raises `prompt.shell` unless the run outlives a connection that drops: standard output of
 * `cookbook` is no terminal, the run is durable by itself, or it runs in screen or tmux (STY or
 * TMUX is set, or TERM says so). Since 1.0.
 */
SPK_API void spk_ensure_durable_shell(struct spk *spk);

#ifdef __cplusplus
}
#endif

#endif
