/* SPDX-License-Identifier: Apache-2.0 */
/* One stage of a run: signals, deadlines and inner runs while the child is at work. */
#include "run_state.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/clock.h>

#include "../runtime/mem.h"
#include "locks.h"
#include "outcome.h"
#include "prompt.h"
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

static void on_signal(struct run *run, enum stage stage, int number)
{
	if (number != SIGINT && number != SIGTSTP)
		run->end.terminated = true;
	if (number == SIGTSTP)
		log_warning(run->log, "Ctrl+Z is ignored: a cookbook cannot be suspended");
	else if (is_undoing(stage) || run->within_undo)
		on_signal_in_rollback(run, stage, number);
	else if (stage == STAGE_QUIT && !run->outer)
		kill_child(run); /* the run is over: nothing of it is left to interrupt */
	else
		on_signal_before_rollback(run, number);
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

/* Nobody is left who wants to know how this run ends: it is not to go on for long. */
static void on_outer_death(struct run *run, enum stage stage)
{
	if (is_undoing(stage) || stage == STAGE_QUIT || run->interrupted)
		return;
	log_error(run->log, "The cookbook that runs cookbook %s died: interrupting it",
		  name_of(run));
	interrupt(run, false);
}

static enum nested_end ask_what_next(struct run *run, const char *name, int code, struct err *err)
{
	static const enum nested_end ends[] = {NESTED_RAN, NESTED_SKIPPED, NESTED_ABORTED};
	char *message = xasprintf("Cookbook %s failed with exit code %d. What do you want to do?",
				  name, code);
	size_t choice = 0;
	enum prompt_end end;

	log_error(run->log, "Failed to run cookbook %s: exit code %d", name, code);
	end = prompt_choose(message, SPK_STRINGS("retry", "skip", "abort"), run->signal_fd, &choice,
			    err);
	free(message);
	if (end == PROMPT_ANSWERED)
		log_info(run->log, "The operator chose to %s",
			 choice == 0   ? "retry"
			 : choice == 1 ? "skip"
				       : "abort");
	switch (end) {
	case PROMPT_ANSWERED:
		return ends[choice];
	case PROMPT_ABORTED:
		return NESTED_ABORTED;
	default:
		return NESTED_UNASKED;
	}
}

/* Runs it, again as often as the operator wants. The strings of `event` stay: the child waits. */
static void run_nested(struct run *run, enum stage stage, const struct tree_found *found,
		       spk_strings args, bool confirm)
{
	enum nested_end end = NESTED_RAN;
	struct err err = {""};
	struct inner_end inner;
	int number;

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
			end = ask_what_next(run, found->name, inner.code, &err);
	} while (confirm && inner.code != EXIT_OK && end == NESTED_RAN);
	/* A signal that ended the question counts before what the child makes of the answer. */
	while ((number = signals_next(run->signal_fd)))
		on_signal(run, stage, number);
	/* Who is being killed must not go on with an answer before that. */
	if (!run->killed)
		answer(run, end, inner.code, err.text);
}

static void on_nested(struct run *run, enum stage stage, const struct nested_request *request)
{
	spk_strings bases = settings_strings(run->options->settings, "cookbooks_base_dirs");
	struct tree_found found;

	/* Nothing new is begun by who is to end; the child finds the interruption at the answer. */
	if (run->killed)
		return;
	if (run->interrupted && !is_undoing(stage)) {
		answer(run, NESTED_RAN, EXIT_INTERRUPTED, NULL);
	} else if (run->depth >= NESTED_DEPTH_MAX) {
		answer(run, NESTED_DEPTH, 0, NULL);
	} else if (tree_find(bases, request->name, stderr, &found) != TREE_FOUND) {
		answer(run, NESTED_MISSING, 0, NULL);
	} else {
		run_nested(run, stage, &found, request->args, request->confirm);
		tree_found_free(&found);
	}
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

static int64_t earliest(const struct run *run, enum stage stage)
{
	int64_t deadline = stage_deadline(run, stage);
	int64_t locks = locks_deadline(run);

	return locks < deadline ? locks : deadline;
}

/* ---- the stage ---- */

enum ending run_stage(struct run *run, enum stage stage)
{
	const struct link_event *event;

	link_stage(&run->link, stage);
	for (;;) {
		/* Held means held: nobody waits for a word of who may not go on. */
		if (locks_are_lost(run))
			link_end(&run->link);
		event = link_wait(&run->link, earliest(run, stage));
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
			on_signal(run, stage, event->signal);
			break;
		case LINK_TIMEOUT:
			/* It may also have been the locks' time, which has moved on meanwhile. */
			if (spk_uptime().ns >= stage_deadline(run, stage))
				on_deadline(run);
			break;
		case LINK_NESTED:
			on_nested(run, stage, &event->nested);
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
