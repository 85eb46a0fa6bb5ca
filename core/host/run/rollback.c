/* SPDX-License-Identifier: Apache-2.0 */
/* The way back of a run: open scopes, then the cookbook's own rollback. */
#include "run_state.h"

#include "outcome.h"
#include "report.h"

/* A crash of an undo action costs a child; each takes at least one action with it. */
#define UNDO_CHILDREN_MAX 64

bool undo_in_fresh_child(struct run *run)
{
	for (int i = 0; i < UNDO_CHILDREN_MAX; i++) {
		if (link_child(&run->link) < 0)
			return false;
		switch (run_stage(run, STAGE_UNDO)) {
		case ENDED_RESULT:
			if (run->link.event.result.outcome != OUTCOME_RETURNED)
				report_error(run, "undoing the scopes of");
			return true;
		case ENDED_DEATH:
			run->undo_failed = true;
			report_death(run);
			if (run->killed)
				return false;
			break;
		case ENDED_NO_RUNNER:
			return false;
		}
	}
	return false;
}

int roll_back(struct run *run, int code)
{
	bool wanted = run->cookbook->spec->has_rollback;
	bool alive = run->link.child_alive;

	/* What interrupted the run is not to interrupt its undoing. */
	link_clear_interrupt(&run->link);
	run->interrupted = run->killed = false;
	run->warned_ns = 0;
	if (run->link.runner > 0 && !alive)
		alive = undo_in_fresh_child(run);
	if (!alive) {
		run->rollback = ROLLBACK_OWED;
		log_error(run->log, "Cookbook %s could not be rolled back: a rollback is owed",
			  name_of(run));
		return EXIT_ROLLBACK_FAILED;
	}
	if (wanted) {
		log_info(run->log, "Rolling back cookbook %s", name_of(run));
		run_tell(run, "rollback", EVENT_NUMBER("exit_code", code));
		run->rollback = ROLLBACK_OWED;
		switch (run_stage(run, STAGE_ROLLBACK)) {
		case ENDED_RESULT:
			if (run->link.event.result.outcome == OUTCOME_RETURNED)
				break;
			run->rollback = ROLLBACK_FAILED;
			report_error(run, "rolling back");
			return EXIT_ROLLBACK_FAILED;
		case ENDED_DEATH:
			report_death(run);
			undo_in_fresh_child(run);
			log_error(run->log,
				  "The rollback of cookbook %s did not end: what it had "
				  "not done yet is owed",
				  name_of(run));
			return EXIT_ROLLBACK_FAILED;
		case ENDED_NO_RUNNER:
			log_error(run->log, "The rollback of cookbook %s did not end: it is owed",
				  name_of(run));
			return EXIT_ROLLBACK_FAILED;
		}
		run->rollback = ROLLBACK_DONE;
	}
	return run->undo_failed ? EXIT_ROLLBACK_FAILED : code;
}
