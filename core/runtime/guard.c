/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

#include "undo.h"

struct guard {
	jmp_buf place;
	struct guard *outer;
	uint32_t undo_level;
	unsigned int uninterruptible;
};

static bool call(struct spk *spk, struct guard *guard, spk_action *action, void *argument)
{
	if (_setjmp(guard->place) != 0)
		return false;
	action(spk, argument);
	return true;
}

const struct spk_error *guard_call(struct spk *spk, spk_action *action, void *argument, bool all)
{
	struct guard guard = {
		.outer = spk->guard,
		.undo_level = spk->shared->undo_count,
		.uninterruptible = spk->uninterruptible,
	};
	const struct spk_error *error = NULL;
	const struct spk_error *undo_error;

	spk->guard = &guard;
	if (!call(spk, &guard, action, argument))
		error = spk->raised;
	session_end_twin(spk);
	spk->guard = guard.outer;
	spk->uninterruptible = guard.uninterruptible;
	if (error || all) {
		undo_error = undo_unwind(spk, guard.undo_level, error != NULL);
		if (!error)
			error = undo_error;
	}
	return error;
}

void guard_raise(struct spk *spk, const struct spk_error *error)
{
	static const char message[] = "spicerack: an error was raised outside of any callback\n";
	ssize_t ignored;

	session_end_twin(spk);
	spk->raised = error;
	if (spk->guard)
		_longjmp(spk->guard->place, 1);
	ignored = write(STDERR_FILENO, message, sizeof(message) - 1);
	(void)ignored;
	abort();
}

bool spk_try(struct spk *spk, spk_action *action, void *arg, const struct spk_error **ret_error)
{
	const struct spk_error *error;

	CHECK_SPK(spk);
	CHECK_GIVEN(action);
	error = guard_call(spk, action, arg, false);
	if (!error)
		return true;
	if (spk_error_is(error, KIND_INTERRUPTED) || spk_error_is(error, KIND_DONE))
		guard_raise(spk, error);
	if (ret_error)
		*ret_error = error;
	return false;
}
