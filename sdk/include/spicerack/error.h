/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors and the scopes they unwind.
 *
 * An SDK call that fails does not return: it raises, and the run ends or the
 * nearest spk_try() catches. There is nothing to check and nothing to free.
 *
 * An error is a value: a kind, a message, perhaps the error that caused it and
 * a payload. A kind is a dotted string that says its family: `command.timeout`
 * is a `command` error, and every kind is a `spicerack` error, so that one test covers a
 * family or all of them.
 *
 *     kind              raised
 *     cookbook          by spk_fail()
 *     interrupted       by any blocking call after a Ctrl+C, SIGTERM or SIGHUP;
 *                       spk_try() does not catch it
 *     misuse            by a call that was given what its contract forbids
 *     cluster.slice     see cluster.h
 *     command.*         see command.h
 *     confctl.*         see confctl.h
 *     config.*          see config.h
 *     discovery.*       see discovery.h
 *     dns.*             see dns.h
 *     driver            see extend.h
 *     file              see file.h
 *     regex             see regex.h
 *     nested.*          see nested.h
 *     json.*            see json.h
 *     http.*            see http.h
 *     prometheus.*      see prometheus.h
 *     prompt.*          see prompt.h
 *     aborted           when the operator says so: by the calls of prompt.h, and the confirming
 *                       form of nested.h
 *     reason.invalid    see reason.h
 *     secret.*          see secret.h
 *     service.*         see service.h
 *     text              see text.h
 *     map               see collection.h
 *     memory            by spk_alloc(), and so by most calls, when the run has no memory left
 *     memory.damaged    for an undo action whose record the cookbook has overwritten
 *     remote.*          see remote.h
 *     hosts.*           see hosts.h
 *     lock.*            see lock.h; `lock.invalid` for what `.lock` computed, too
 *     argument.default  for a computed default
 */
#ifndef SPICERACK_ERROR_H
#define SPICERACK_ERROR_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_error;
struct spk_scope;

/* What is called with `arg`: the body of a spk_try(), an undo action. */
typedef void spk_action(struct spk *spk, void *arg);

/*
 * Raises an error of kind `cookbook` with this message, one line, no full stop.
 * In a `.check` hook or a parser of an argument it becomes a usage error. Since 1.0.
 */
SPK_API SPK_NORETURN void spk_fail(struct spk *spk, const char *format, ...) SPK_PRINTF(2, 3);

/*
 * Raises an error of a kind of one's own. `kind` is letters, digits, dashes and
 * dots; it is copied. `cause` is the error that led here, or NULL: it is shown
 * below this one in the report. Since 1.0.
 */
SPK_API SPK_NORETURN void spk_raise(struct spk *spk, const char *kind,
				    const struct spk_error *cause, const char *format, ...)
	SPK_PRINTF(4, 5);

/*
 * spk_raise() with a payload: whatever the kind's documentation says it is. It
 * must belong to the run (spk_alloc()). Since 1.0.
 */
SPK_API SPK_NORETURN void spk_raise_with(struct spk *spk, const char *kind,
					 const struct spk_error *cause, const void *payload,
					 const char *format, ...) SPK_PRINTF(5, 6);

/* Raises a caught error again, with its first backtrace. Since 1.0. */
SPK_API SPK_NORETURN void spk_raise_again(struct spk *spk, const struct spk_error *error);

/*
 * Calls action(spk, arg). Returns true when it returned. When it raised, closes
 * the scopes it had opened, stores the error in *ret_error (unless that is NULL)
 * and returns false; the error belongs to the run. An interruption and
 * spk_done() are not caught: they go on to the end of the run. Since 1.0.
 */
SPK_API SPK_MUST_CHECK bool spk_try(struct spk *spk, spk_action *action, void *arg,
				    const struct spk_error **ret_error);

/* The message alone, without kind and causes. Never NULL. Since 1.0. */
SPK_API const char *spk_error_message(const struct spk_error *error);
/* The kind. Never NULL. Since 1.0. */
SPK_API const char *spk_error_kind(const struct spk_error *error);
/* True when the error is of `kind` or of one below it. Since 1.0. */
SPK_API bool spk_error_is(const struct spk_error *error, const char *kind);
/* The error that caused this one, or NULL. Since 1.0. */
SPK_API const struct spk_error *spk_error_cause(const struct spk_error *error);
/* The payload when the error is of `kind` or below it, else NULL. Since 1.0. */
SPK_API const void *spk_error_payload(const struct spk_error *error, const char *kind);

/*
 * A scope is an undo action that is due: undo(spk, arg) is called exactly once,
 * by spk_scope_close(), or when an error passes by, or after a crash in a fresh
 * process, in the reverse order of opening and before `rollback`. `what` says in
 * a report what was not undone; it is copied. An undo action is not interrupted
 * by the Ctrl+C that caused it. One whose record was overwritten is reported, not called.
 *
 * `arg` must still mean something in that fresh process: NULL, memory of the run
 * (spk_alloc(), the cookbook's structure) or a constant of the cookbook. An
 * address on the stack or from malloc() is misuse. Since 1.0.
 */
SPK_API struct spk_scope *spk_scope_open(struct spk *spk, const char *what, spk_action *undo,
					 void *arg);

/* Calls the undo action unless it was called or dismissed already. NULL is fine. Since 1.0. */
SPK_API void spk_scope_close(struct spk_scope *scope);

/* Forgets the undo action: what was done stays. Since 1.0. */
SPK_API void spk_scope_dismiss(struct spk_scope *scope);

/*
 * Has undo(spk, arg) called when the callback that is running (prepare, run ...)
 * ends, however it ends; otherwise as spk_scope_open(). Since 1.0.
 */
SPK_API void spk_defer(struct spk *spk, const char *what, spk_action *undo, void *arg);

/* For SPK_SCOPED() alone. */
SPK_API void spk_scope_leave_(struct spk_scope **scope);

#define SPK_UNIQUE_2_(name, line) name##line
#define SPK_UNIQUE_1_(name, line) SPK_UNIQUE_2_(name, line)

/*
 * Keeps the scope that `expression` opens until the end of the enclosing block,
 * whichever way it is left:
 *
 *     SPK_SCOPED(spk_scope_open(spk, "maintenance flag", remove_flag, self));
 *
 * Since 1.0.
 */
#define SPK_SCOPED(expression)                                                                     \
	struct spk_scope *SPK_UNIQUE_1_(spk_scoped_, __LINE__)                                     \
		__attribute__((cleanup(spk_scope_leave_), unused)) = (expression)

#ifdef __cplusplus
}
#endif

#endif
