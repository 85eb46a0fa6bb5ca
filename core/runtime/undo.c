/* SPDX-License-Identifier: Apache-2.0 */
#include "undo.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "guard.h"

#define WHAT_SIZE 64

static uint64_t checksum(const struct spk_scope *scope)
{
	const uint64_t parts[] = {
		scope->magic,
		(uintptr_t)scope,
		(uintptr_t)scope->action,
		(uintptr_t)scope->argument,
		(uintptr_t)scope->what,
	};
	uint64_t sum = 0xcbf29ce484222325U;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		sum ^= parts[i];
		sum *= 0x100000001b3U;
		sum ^= sum >> 29;
	}
	return sum;
}

static bool intact(const struct shared *shared, const struct spk_scope *scope)
{
	return scope->magic == SCOPE_MAGIC && scope->checksum == checksum(scope) &&
	       arena_contains(shared, scope->what);
}

/* Whether an argument of an undo action still means something in a fresh process. */
static bool outlives_process(struct spk *spk, const void *argument)
{
	Dl_info object;

	return !argument || arena_contains(spk->shared, argument) || dladdr(argument, &object) != 0;
}

/* Closed records at the top of the stack are dropped, so that it stays as deep as what is open. */
static void drop_closed(struct shared *shared)
{
	while (shared->undo_count > 0 && shared->undo[shared->undo_count - 1].state == UNDO_CLOSED)
		shared->undo_count--;
}

static struct spk_scope *push(struct spk *spk, const char *caller, const char *what,
			      spk_action *undo, void *argument)
{
	struct shared *shared = spk->shared;
	struct spk_scope *scope;

	session_end_twin(spk);
	if (!undo)
		session_misuse(caller, "'undo' is NULL");
	if (!what)
		session_misuse(caller, "'what' is NULL");
	if (!outlives_process(spk, argument))
		session_misuse(caller,
			       "the argument of an undo action must be memory of the run "
			       "(spk_alloc(), the cookbook's structure), a constant or NULL");
	if (shared->undo_count >= UNDO_MAX)
		session_misuse(caller, "%d scopes are open already", UNDO_MAX);
	scope = &shared->undo[shared->undo_count];
	*scope = (struct spk_scope){
		.magic = SCOPE_MAGIC,
		.state = UNDO_OPEN,
		.action = undo,
		.argument = argument,
		.what = spk_format(spk, "%s", what),
	};
	scope->checksum = checksum(scope);
	/* A crash from here on finds the record complete, or not at all. */
	atomic_signal_fence(memory_order_seq_cst);
	shared->undo_count++;
	return scope;
}

struct undo_call {
	struct spk_scope *scope;
};

/* What a scope is to undo, for messages; without memory of the run, which may be in disorder. */
static const char *what_of(const struct shared *shared, const struct spk_scope *scope,
			   char text[static WHAT_SIZE])
{
	if (intact(shared, scope))
		return scope->what;
	snprintf(text, WHAT_SIZE, "record %d of the undo stack", (int)(scope - shared->undo));
	return text;
}

static void call_action(struct spk *spk, void *argument)
{
	struct undo_call *call = argument;

	/* Whatever it says now, nobody asked for that. */
	if (!intact(spk->shared, call->scope))
		spk_raise(spk, "memory.damaged", NULL, "the cookbook has overwritten it");
	call->scope->action(spk, call->scope->argument);
}

static void log_failure(struct spk *spk, const struct spk_scope *scope,
			const struct spk_error *error)
{
	char text[WHAT_SIZE];

	spk->uninterruptible++;
	spk_error(spk, "not undone: %s: %s", what_of(spk->shared, scope, text),
		  spk_error_message(error));
	spk->uninterruptible--;
}

/*
 * Calls the action of an open scope, once, and closes it. Returns what it raised, which is logged:
 * whoever catches it, the run has failed, and must say why.
 */
static const struct spk_error *run_action(struct spk *spk, struct spk_scope *scope, bool failed)
{
	struct undo_call call = {.scope = scope};
	bool outer = spk->undoing_failure;
	const struct spk_error *error;

	scope->state = UNDO_RUNNING;
	atomic_signal_fence(memory_order_seq_cst);
	spk->uninterruptible++;
	spk->undoing_failure = failed;
	error = guard_call(spk, call_action, &call, true);
	spk->undoing_failure = outer;
	spk->uninterruptible--;
	if (error) {
		spk->shared->undo_failed++;
		log_failure(spk, scope, error);
	}
	scope->state = UNDO_CLOSED;
	return error;
}

const struct spk_error *undo_unwind(struct spk *spk, uint32_t level, bool failed)
{
	struct shared *shared = spk->shared;
	const struct spk_error *first = NULL;

	while (shared->undo_count > level) {
		struct spk_scope *scope = &shared->undo[shared->undo_count - 1];
		const struct spk_error *error;

		if (scope->state == UNDO_OPEN) {
			error = run_action(spk, scope, failed);
			if (error && !failed && !first)
				first = error;
		}
		/* One that is running is being unwound further out: it is that one's to drop. */
		shared->undo_count--;
	}
	return first;
}

void undo_after_crash(struct spk *spk)
{
	struct shared *shared = spk->shared;
	uint32_t count = shared->undo_count < UNDO_MAX ? shared->undo_count : UNDO_MAX;
	unsigned int damaged = 0;

	while (count-- > 0) {
		struct spk_scope *scope = &shared->undo[count];

		if (!intact(shared, scope)) {
			damaged++;
			/* Told together, for there may be thousands. */
			if (count > 0 && !intact(shared, scope - 1))
				continue;
			shared->undo_failed++;
			spk_error(spk,
				  "not undone: undo records that the cookbook has overwritten: %u",
				  damaged);
			damaged = 0;
		} else if (scope->state == UNDO_RUNNING) {
			shared->undo_failed++;
			spk_error(spk, "not undone: %s: the process died while undoing it",
				  scope->what);
		} else if (scope->state == UNDO_OPEN) {
			run_action(spk, scope, true);
		}
		shared->undo_count = count;
	}
}

struct spk_scope *spk_scope_open(struct spk *spk, const char *what, spk_action *undo, void *arg)
{
	CHECK_SPK(spk);
	return push(spk, __func__, what, undo, arg);
}

void spk_defer(struct spk *spk, const char *what, spk_action *undo, void *arg)
{
	CHECK_SPK(spk);
	push(spk, __func__, what, undo, arg);
}

void spk_scope_close(struct spk_scope *scope)
{
	struct spk *spk = session_current();
	const struct spk_error *error = NULL;
	char text[WHAT_SIZE];

	if (!scope || !spk)
		return;
	session_end_twin(spk);
	CHECK_HANDLE(scope, SCOPE_MAGIC);
	if (scope->state == UNDO_OPEN)
		error = run_action(spk, scope, false);
	drop_closed(spk->shared);
	if (error)
		spk_raise(spk, spk_error_kind(error), error, "not undone: %s",
			  what_of(spk->shared, scope, text));
}

void spk_scope_dismiss(struct spk_scope *scope)
{
	struct spk *spk = session_current();

	if (!scope || !spk)
		return;
	session_end_twin(spk);
	CHECK_HANDLE(scope, SCOPE_MAGIC);
	if (scope->state == UNDO_OPEN)
		scope->state = UNDO_CLOSED;
	drop_closed(spk->shared);
}

void spk_scope_leave_(struct spk_scope **scope)
{
	spk_scope_close(*scope);
}
