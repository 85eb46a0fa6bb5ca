/* SPDX-License-Identifier: Apache-2.0 */
/* Locks that a cookbook asks for while it runs. */
#include "locks_state.h"

#include <stdlib.h>

#include "../../runtime/mem.h"
#include "lockname.h"

static void answer(struct run *run, enum lock_end end, const char *message,
		   const struct held_lock *lock)
{
	struct buf body = {0};

	wire_put_number(&body, end);
	wire_put_text(&body, message);
	wire_put_text(&body, lock ? lock->id : "");
	wire_put_number(&body, lock ? lock->fence : 0);
	link_answer(&run->link, &body);
	buf_free(&body);
}

static void answer_taken(struct run *run)
{
	struct locks *locks = run->locks;
	struct held_lock taken = locks->wanted;
	char *message = NULL;

	switch (locks->status) {
	case SPK_LOCK_OK:
		answer(run, LOCK_DONE, "", locks_find(locks, taken.id));
		return;
	case SPK_LOCK_TIMEOUT:
		message = xasprintf("%s\n%s", locks->wanted.key, buf_text(&locks->others_text));
		answer(run, LOCK_UNAVAILABLE, message, NULL);
		break;
	case SPK_LOCK_CANCELLED:
		answer(run, LOCK_INTERRUPTED, "", NULL);
		break;
	default:
		message = xasprintf("%s: %s", locks->wanted.key, locks->reason.text);
		answer(run, LOCK_FAILED, message, NULL);
		break;
	}
	free(message);
}

void locks_attend(struct run *run)
{
	struct locks *locks = run->locks;

	locks_take_news(locks);
	if (!locks->ordered || !locks->answered || !locks->for_child)
		return;
	locks_settle_order(locks);
	switch (locks->task) {
	case KEEPER_TAKE:
		answer_taken(run);
		break;
	case KEEPER_GIVE_BACK:
		answer(run, LOCK_DONE, locks->status == SPK_LOCK_OK ? "" : locks->reason.text,
		       NULL);
		break;
	case KEEPER_LIST:
		locks_tell_what_would_be(locks);
		answer(run, LOCK_DONE, "", NULL);
		break;
	}
}

/* An order of the child's, whose answer is the child's answer. */
static void order_for_child(struct run *run, enum keeper_task task, const struct held_lock *wanted,
			    int64_t wait_ns)
{
	locks_order(run->locks, task, wanted, wait_ns);
	run->locks->for_child = true;
}

static void request_take(struct run *run, const struct lock_request *request)
{
	struct held_lock wanted = {
		.run = run,
		.concurrency = request->concurrency,
		.ttl_ns = request->ttl_ns,
	};
	struct locks *locks = run->locks;
	const struct held_lock *deadlock;
	int64_t wait_ns = request->patience_ns;
	struct err err;
	char *message;

	wanted.key = lock_key(request->family, request->name, &err);
	if (!wanted.key) {
		answer(run, LOCK_INVALID, err.text, NULL);
		return;
	}
	deadlock = locks ? locks_find_deadlock(locks, &wanted) : NULL;
	if (deadlock) {
		message = xasprintf("%s: this run itself holds it, for cookbook %s", wanted.key,
				    name_of(deadlock->run));
		answer(run, LOCK_DEADLOCK, message, NULL);
		free(message);
	}
	if (!locks)
		answer(run, LOCK_DONE, "", NULL);
	if (!locks || deadlock) {
		free(wanted.key);
		return;
	}
	uuid_make(wanted.id);
	if (wait_ns == 0)
		wait_ns = locks->patience_ns;
	order_for_child(run, locks->dry_run ? KEEPER_LIST : KEEPER_TAKE, &wanted,
			wait_ns > 0 ? wait_ns : 0);
}

static void request_give_back(struct run *run, const char *id)
{
	struct held_lock *lock = run->locks ? locks_find(run->locks, id) : NULL;
	struct held_lock gone;

	if (!lock || lock->run != run || lock->own) {
		answer(run, run->locks && *id ? LOCK_MISSING : LOCK_DONE, "", NULL);
		return;
	}
	gone = *lock;
	gone.key = xstrdup(lock->key);
	locks_drop(run->locks, lock);
	order_for_child(run, KEEPER_GIVE_BACK, &gone, 0);
}

static void request_own(struct run *run)
{
	const struct held_lock *own = NULL;

	for (size_t i = 0; run->locks && i < run->locks->count; i++)
		if (run->locks->held[i].run == run && run->locks->held[i].own)
			own = &run->locks->held[i];
	answer(run, LOCK_DONE, "", own);
}

void locks_request(struct run *run, const struct lock_request *request)
{
	if (run->locks && run->locks->ordered)
		answer(run, LOCK_FAILED, "another request is under way", NULL);
	else if (request->operation == LOCK_TAKE)
		request_take(run, request);
	else if (request->operation == LOCK_GIVE_BACK)
		request_give_back(run, request->id);
	else
		request_own(run);
}
