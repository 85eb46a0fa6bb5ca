/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only setjmp of the project: everything of a cookbook is called under a guard,
 * and every error ends at the innermost one, with the scopes opened since then closed.
 * Never raise through a library's callback.
 */
#ifndef SPICERACK_CORE_GUARD_H
#define SPICERACK_CORE_GUARD_H

#include "session.h"

#define ERROR_MAGIC 0x53504552U
#define ERROR_FRAMES 32

struct spk_error {
	uint32_t magic;
	uint32_t address_count;
	const char *kind, *message;
	const struct spk_error *cause;
	const void *payload;
	uintptr_t addresses[ERROR_FRAMES]; /* where it was raised, innermost call first */
};

/* Kinds that end the run and that spk_try() lets pass. */
#define KIND_INTERRUPTED "interrupted"
#define KIND_DONE "done"

/*
 * Calls action(spk, argument). NULL when it returned, else what it raised, after the
 * scopes that it opened are closed. With `all`, scopes it left open when it returned
 * are closed, too, and an undo action that raises then counts as its error.
 */
const struct spk_error *guard_call(struct spk *spk, spk_action *action, void *argument, bool all);

/* Ends the call that the innermost guard is making. */
void guard_raise(struct spk *spk, const struct spk_error *error) __attribute__((noreturn));

#endif
