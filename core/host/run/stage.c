/* SPDX-License-Identifier: Apache-2.0 */
/* One stage of a run: signals, deadlines and inner runs while the child is at work. */
#include "run_state.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/clock.h>

#include "../../runtime/mem.h"
#include "../question/asking.h"
#include "../lock/locks.h"
#include "outcome.h"
#include "signals.h"

/* Where nobody can press Ctrl+C again, a cookbook that does not react is killed after this. */
#define DEAF_GRACE_NS 10000000000LL
/* During rollback: this soon after the warning, a second Ctrl+C is meant. */
#define ABANDON_WINDOW_NS 5000000000LL

static void kill_child(struct run *run)
{
	run->killed = true;
	link_kill_child(&run->link);
}

/* ---- what the operator's signals mean ---- */

static void interrupt(struct run *run, bool by_terminal)
{
	bool was_by_terminal = run->by_terminal;

	run->by_terminal = by_terminal;
	/* A second SIGTERM does not give it more time; one behind a Ctrl+C gives it as much. */
	if (!run->interrupted || (was_by_terminal && !by_terminal))
		run->interrupted_ns = spk_uptime().ns;
	run->interrupted = true;
	link_interrupt(&run->link);
	locks_interrupt(run);
}

/* Also for the runs that this one is within. */
static void stop(struct run *run, bool by_terminal)
{
	interrupt(run, by_terminal);
	run->stopped = true;
}

static void on_signal_before_rollback(struct run *run, int number)
{
	if (run->interrupted && run->by_terminal && number == SIGINT) {
		log_warning(run->log, "Ctrl+C again: killing the cookbook");
		kill_child(run);
		return;
	}
	if (run->interrupted && !run->by_terminal && number == SIGINT)
		log_warning(run->log, "Ctrl+C: the cookbook is being interrupted already, "
				      "press again to kill it");
	if (!run->interrupted)
		log_warning(run->log, "%s%s: interrupting the cookbook%s",
			    number == SIGINT ? "" : "SIG",
			    number == SIGINT ? "Ctrl+C" : sigabbrev_np(number),
			    number == SIGINT ? ", press again to kill it" : "");
	stop(run, number == SIGINT);
}

/* The operator does not want it any more; what it was begun by, which undoes, ends with it. */
static void give_up_undoing(struct run *run, enum stage stage)
{
	run->abandoned = !is_undoing(stage);
	kill_child(run);
}

/* In a rollback, and in whatever runs within one. */
static void on_signal_in_rollback(struct run *run, enum stage stage, int number)
{
	int64_t now = spk_uptime().ns;

	if (number != SIGINT) {
		log_warning(run->log, "SIG%s: the cookbook is being rolled back, that goes on",
			    sigabbrev_np(number));
	} else if (run->warned_ns && now - run->warned_ns <= ABANDON_WINDOW_NS) {
		log_error(run->log, "Ctrl+C again: the rollback is abandoned");
		give_up_undoing(run, stage);
	} else {
		log_warning(run->log, "the cookbook is being rolled back, "
				      "press Ctrl+C again within 5 seconds to abandon that");
		run->warned_ns = now;
	}
}

/* The same for who waits to hear it (`spicerack runs stop`). */
static void tell_effect(const struct run *run, enum stage stage, int number)
{
	bool rolls_back = is_undoing(stage) || run->within_undo;
	enum attachment_effect effect = ATTACHMENT_INTERRUPTED;

	if (rolls_back)
		effect = run->killed ? ATTACHMENT_ABANDONED : ATTACHMENT_ROLLING_BACK;
	else if (run->killed)
		effect = ATTACHMENT_KILLED;
	if (number == SIGINT)
		console_tell_effect(run->link.console, effect);
}

/* `kill`: a Ctrl+C that is meant to be the second one, except in a rollback, which it may not know
 * of. */
static void on_signal(struct run *run, enum stage stage, int number, bool kill)
{
	if (number != SIGINT && number != SIGTSTP)
		run->end.terminated = true;
	if (number == SIGTSTP) {
		log_warning(run->log, "Ctrl+Z is ignored: a cookbook cannot be suspended");
	} else if (is_undoing(stage) || run->within_undo) {
		on_signal_in_rollback(run, stage, number);
	} else if (stage == STAGE_QUIT && !run->outer) {
		kill_child(run); /* the run is over: nothing of it is left to interrupt */
	} else if (kill) {
		log_warning(run->log, "it was asked for: killing the cookbook");
		stop(run, true);
		kill_child(run);
	} else {
		on_signal_before_rollback(run, number);
	}
	tell_effect(run, stage, number);
}

/* ---- deadlines ---- */

int64_t stage_deadline(const struct run *run, enum stage stage)
{
	if (is_undoing(stage) || run->killed)
		return INT64_MAX;
	if (run->interrupted)
		return run->by_terminal ? INT64_MAX : run->interrupted_ns + DEAF_GRACE_NS;
	if (stage == STAGE_RUN)
		return run->deadline_ns;
	/* What comes before the run of an inner run is in the time of the outer one. */
	return stage != STAGE_QUIT ? outer_deadline(run) : INT64_MAX;
}

static void on_deadline(struct run *run)
{
	if (run->interrupted) {
		log_warning(run->log, "the cookbook did not react: killing it");
		kill_child(run);
		return;
	}
	log_error(run->log, "The time that cookbook %s may take is over: interrupting it",
		  name_of(run));
	/* The outer runs have deadlines of their own. */
	interrupt(run, false);
}

/* Nobody is left who wants to know how this run ends: it is not to go on for long. */
static void on_outer_death(struct run *run, enum stage stage)
{
	if (is_undoing(stage) || stage == STAGE_QUIT || run->interrupted)
		return;
	log_error(run->log, "The cookbook that runs cookbook %s died: interrupting it",
		  name_of(run));
	interrupt(run, false);
}

/* Nothing new is begun by who is to end. */
static bool is_ending(const struct run *run, enum stage stage)
{
	return (run->interrupted && !is_undoing(stage)) || run->killed;
}

/* ---- questions ---- */

/*
 * Ctrl+C is an answer, and while something is undone a warning as well; other signals mean what
 * they always do. True: the question is over.
 */
static bool on_signal_at_question(struct run *run, enum stage stage, int number, bool kill)
{
	if (number != SIGINT || kill || is_undoing(stage) || run->within_undo)
		on_signal(run, stage, number, kill);
	else
		console_tell_effect(run->link.console, ATTACHMENT_ABORTED);
	return number == SIGINT;
}

static int64_t earlier_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t earliest(const struct run *run, enum stage stage)
{
	return earlier_of(stage_deadline(run, stage), locks_deadline(run));
}

static int64_t patience_of(const struct run *run)
{
	return settings_int(run->options->settings, "notify.awaiting_input") * 1000000000LL;
}

/* Nothing was typed for so long that others are told. */
static void tell_waiting(struct run *run, const struct question *question)
{
	run_tell(run, "awaiting", EVENT_TEXT("name", question->name),
		 EVENT_SECONDS("waited", patience_of(run)));
	if (!run->options->unannounced)
		notify_awaiting(run->notify, name_of(run));
}

/*
 * Asks, and attends to the run until there is an answer or none can come: the deadline holds, a
 * signal or a death ends the question. The event that ended it and is still to be attended
 * to, or NULL.
 */
static const struct link_event *ask(struct run *run, enum stage stage, struct asking *asking,
				    const struct question *question)
{
	const struct link_event *event, *unheard = NULL;
	struct link *link = &run->link;
	int64_t patience_ns;

	asking_begin(asking, question, run->options->answers, run->log, link->console);
	link->asks_operator = true;
	run_journal_question(run, &asking->question);
	patience_ns = spk_uptime().ns + patience_of(run);
	while (asking_is_open(asking)) {
		link->typed_fd = asking->prompt.terminal;
		/* Who asks may have lost his lock meanwhile. */
		if (locks_are_lost(run))
			link_end(link);
		event = link_wait(link, earlier_of(earliest(run, stage), patience_ns));
		switch (event->type) {
		case LINK_TYPED:
			asking_read(asking);
			patience_ns = spk_uptime().ns + patience_of(run);
			break;
		case LINK_CONSOLE:
			asking_move(asking);
			break;
		case LINK_SIGNAL:
			if (on_signal_at_question(run, stage, event->signal, event->kill))
				asking->reply.end = ASK_ABORTED;
			break;
		case LINK_TIMEOUT:
			if (spk_uptime().ns >= stage_deadline(run, stage))
				on_deadline(run);
			if (spk_uptime().ns >= patience_ns) {
				tell_waiting(run, question);
				patience_ns = INT64_MAX;
			}
			break;
		case LINK_OUTER_DEATH:
			on_outer_death(run, stage);
			break;
		case LINK_LOCKS:
			locks_attend(run);
			break;
		case LINK_ANSWER:
			break;
		default:
			unheard = event;
			break;
		}
		if (asking_is_open(asking) && (unheard || is_ending(run, stage)))
			asking->reply.end = ASK_ENDED;
	}
	link->typed_fd = -1;
	link->asks_operator = false;
	asking_settle(asking);
	run_journal_answer(run, &asking->question, &asking->reply);
	return unheard;
}

static const struct link_event *on_question(struct run *run, enum stage stage,
					    struct question *question)
{
	struct asking asking = {.prompt = {.terminal = -1}, .reply = {.end = ASK_ENDED}};
	const struct link_event *unheard = NULL;

	question->cookbook = name_of(run);
	if (!is_ending(run, stage))
		unheard = ask(run, stage, &asking, question);
	if (!run->killed)
		asking_send_reply(&asking, &run->link);
	asking_end(&asking);
	return unheard;
}

/* ---- inner runs ---- */

static void answer(struct run *run, enum nested_end end, int code, const char *message)
{
	struct buf body = {0};

	wire_put_number(&body, end);
	wire_put_number(&body, (uint64_t)code);
	wire_put_text(&body, message);
	link_answer(&run->link, &body);
	buf_free(&body);
}

/* After a failure: NESTED_RAN is once more. `err` gets the reason when nobody can say. */
static enum nested_end ask_what_next(struct run *run, enum stage stage, const char *inner, int code,
				     const struct link_event **ret_unheard, struct err *err)
{
	char *message = xasprintf("Cookbook %s failed with exit code %d. What do you want to do?",
				  inner, code);
	char *name = xasprintf("failed-%s", inner);
	struct question question = {
		.kind = ASK_FAILURE, .cookbook = name_of(run), .name = name, .message = message};
	enum nested_end end = NESTED_UNASKED;
	struct asking asking;

	log_error(run->log, "Failed to run cookbook %s: exit code %d", inner, code);
	*ret_unheard = ask(run, stage, &asking, &question);
	if (asking.reply.end == ASK_ANSWERED)
		end = strcmp(buf_text(&asking.reply.answer), "retry") == 0  ? NESTED_RAN
		      : strcmp(buf_text(&asking.reply.answer), "skip") == 0 ? NESTED_SKIPPED
									    : NESTED_ABORTED;
	else if (asking.reply.end == ASK_ABORTED)
		end = NESTED_ABORTED;
	*err = asking.reply.why;
	asking_end(&asking);
	free(message);
	free(name);
	return end;
}

/*
 * Runs it, again as often as the operator wants. The strings of the request stay: the child
 * waits. The event that is still to be attended to, or NULL.
 */
static const struct link_event *run_nested(struct run *run, enum stage stage,
					   const struct tree_found *found, spk_strings args,
					   bool confirm)
{
	const struct link_event *unheard = NULL;
	enum nested_end end = NESTED_RAN;
	struct err err = {""};
	struct inner_end inner;

	do {
		inner = run_within(run, stage, found, (int)args.count,
				   (char *const *)(uintptr_t)args.items);
		/* What ended the inner run may be for this one, too: before it has the answer. */
		if (inner.stopped)
			stop(run, run->by_terminal);
		if (spk_uptime().ns >= stage_deadline(run, stage))
			on_deadline(run);
		if (link_outer_has_died(&run->link))
			on_outer_death(run, stage);
		if (inner.abandoned)
			give_up_undoing(run, stage);
		if (run->interrupted || run->killed || link_has_died(&run->link))
			confirm = false;
		if (confirm && inner.code != EXIT_OK)
			end = ask_what_next(run, stage, found->name, inner.code, &unheard, &err);
	} while (confirm && inner.code != EXIT_OK && end == NESTED_RAN);
	/*
	 * Who is being killed must not go on with an answer before that; nor a child whose runner
	 * is dead: the kernel closes that one's sockets first and kills its children some time
	 * later.
	 */
	if (!run->killed && !link_has_died(&run->link))
		answer(run, end, inner.code, err.text);
	return unheard;
}

static const struct link_event *on_nested(struct run *run, enum stage stage,
					  const struct nested_request *request)
{
	const struct link_event *unheard = NULL;
	spk_strings bases = settings_strings(run->options->settings, "cookbooks_base_dirs");
	struct tree_found found;

	if (run->killed)
		return NULL;
	/* The child finds the interruption at the answer. */
	if (is_ending(run, stage)) {
		answer(run, NESTED_RAN, EXIT_INTERRUPTED, NULL);
	} else if (run->depth >= NESTED_DEPTH_MAX) {
		answer(run, NESTED_DEPTH, 0, NULL);
	} else if (tree_find(bases, request->name, stderr, &found) != TREE_FOUND) {
		answer(run, NESTED_MISSING, 0, NULL);
	} else {
		unheard = run_nested(run, stage, &found, request->args, request->confirm);
		tree_found_free(&found);
	}
	return unheard;
}

/* ---- locks ---- */

static void on_lock_request(struct run *run, enum stage stage, const struct lock_request *request)
{
	struct buf body = {0};

	if (!run->interrupted || is_undoing(stage) || request->operation != LOCK_TAKE) {
		locks_request(run, request);
		return;
	}
	/* Nothing new is begun by who is to end. */
	wire_put_number(&body, LOCK_INTERRUPTED);
	wire_put_text(&body, "");
	wire_put_text(&body, "");
	wire_put_number(&body, 0);
	link_answer(&run->link, &body);
	buf_free(&body);
}

/* The child may be dead while something that it has asked for is still under way. */
static enum ending ended(struct run *run, enum ending ending)
{
	locks_forget_child(run);
	return ending;
}

/* ---- the stage ---- */

enum ending run_stage(struct run *run, enum stage stage)
{
	const struct link_event *event, *unheard = NULL;

	link_stage(&run->link, stage);
	for (;;) {
		/* Held means held: nobody waits for a word of who may not go on. */
		if (locks_are_lost(run)) {
			link_end(&run->link);
			unheard = NULL;
		}
		event = unheard ? unheard : link_wait(&run->link, earliest(run, stage));
		unheard = NULL;
		switch (event->type) {
		case LINK_RESULT:
			/* Who answers another question than the one asked is not to be trusted. */
			if (event->result.stage != stage) {
				link_kill_child(&run->link);
				break;
			}
			if (event->result.undo_failed)
				run->undo_failed = true;
			return ended(run, ENDED_RESULT);
		case LINK_GONE:
			return ended(run, ENDED_DEATH);
		case LINK_RUNNER_GONE:
			return ended(run, ENDED_NO_RUNNER);
		case LINK_SIGNAL:
			on_signal(run, stage, event->signal, event->kill);
			break;
		case LINK_TIMEOUT:
			/* It may also have been the locks' time, which has moved on meanwhile. */
			if (spk_uptime().ns >= stage_deadline(run, stage))
				on_deadline(run);
			break;
		case LINK_NESTED:
			unheard = on_nested(run, stage, &event->nested);
			break;
		case LINK_QUESTION:
			unheard = on_question(run, stage, &run->link.event.question);
			break;
		case LINK_TYPED:
		case LINK_CONSOLE:
			break;
		case LINK_OUTER_DEATH:
			on_outer_death(run, stage);
			break;
		case LINK_LOCK_REQUEST:
			on_lock_request(run, stage, &event->lock);
			break;
		case LINK_LOCKS:
			locks_attend(run);
			break;
		case LINK_ANSWER:
			break;
		}
	}
}
