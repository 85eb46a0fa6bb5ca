/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/lock.h>

#include <spicerack/cookbook.h>

#include "../runtime/misuse.h"
#include "../runtime/protocol.h"
#include "../runtime/secretlist.h"
#include "../runtime/testing.h"

#define LOCK_MAGIC 0x53504c4bU

#define DEFAULT_CONCURRENCY 1
#define DEFAULT_TTL SPK_MINUTES(30)

struct spk_lock {
	uint32_t magic;
	bool held;
	const char *name, *id;
	uint64_t fence;
};

/* What the supervisor said; texts belong to the run. */
struct answer {
	enum lock_end end;
	const char *message, *id;
	uint64_t fence;
};

/* The supervisor ends the waiting at an interruption, of which this one learns by the answer. */
static struct answer ask(struct spk *spk, const struct buf *body)
{
	struct answer answer;
	struct message message;

	spk->uninterruptible++;
	session_request(spk, REQUEST_LOCK, body, &message);
	spk->uninterruptible--;
	answer.end = (enum lock_end)wire_get_number(&message.body);
	answer.message = wire_get_text(&message.body);
	answer.id = wire_get_text(&message.body);
	answer.fence = wire_get_number(&message.body);
	answer.message = spk_format(spk, "%s", answer.message ? answer.message : "");
	answer.id = spk_format(spk, "%s", answer.id ? answer.id : "");
	return answer;
}

/* What was left out, filled in; what may not be asked for, refused. */
static struct spk_lock_options checked(struct spk *spk, const struct spk_lock_options *given)
{
	struct spk_lock_options how = {0};

	if (given) {
		if (given->size < sizeof(how))
			session_misuse("spk_lock_acquire", "'how' was not made by SPK_LOCK()");
		how = *given;
	}
	if (how.concurrency == 0)
		how.concurrency = DEFAULT_CONCURRENCY;
	if (how.ttl.ns == 0)
		how.ttl = DEFAULT_TTL;
	if (how.concurrency < 0 && how.concurrency != SPK_UNLIMITED)
		spk_raise(spk, "lock.invalid", NULL,
			  "a lock with concurrency %d: it must be at least 1 or SPK_UNLIMITED",
			  how.concurrency);
	if (how.ttl.ns < 0)
		spk_raise(spk, "lock.invalid", NULL, "a lock with a ttl of %s: it must be positive",
			  spk_duration_text(spk, how.ttl));
	return how;
}

static const char *kind_of(enum lock_end end)
{
	switch (end) {
	case LOCK_UNAVAILABLE:
		return "lock.unavailable";
	case LOCK_INVALID:
		return "lock.invalid";
	case LOCK_DEADLOCK:
		return "lock.deadlock";
	default:
		return "lock.store";
	}
}

struct spk_lock *spk_lock_acquire(struct spk *spk, const char *name,
				  const struct spk_lock_options *given)
{
	struct spk_lock_options how;
	struct buf body = {0};
	struct spk_lock *lock;
	struct answer answer;

	CHECK_SPK(spk);
	CHECK_GIVEN(name);
	how = checked(spk, given);
	if (secretlist_is_in(name))
		spk_raise(spk, "lock.invalid", NULL,
			  "a lock with a secret in its name: everybody can read that");
	if (testing_step(spk, true, "lock '%s'", name))
		spk_raise(spk, "lock.store", NULL,
			  "cannot acquire the lock %s: the test has it fail", name);
	lock = SPK_NEW(spk, struct spk_lock);
	lock->name = spk_format(spk, "%s", name);
	session_check_interrupt(spk);
	wire_put_number(&body, LOCK_TAKE);
	wire_put_number(&body, how.module ? LOCK_MODULE : LOCK_CUSTOM);
	wire_put_text(&body, name);
	wire_put_number(&body, how.concurrency < 0 ? 0 : (uint64_t)how.concurrency);
	wire_put_number(&body, (uint64_t)how.ttl.ns);
	wire_put_number(&body, (uint64_t)how.wait.ns);
	answer = ask(spk, &body);
	buf_free(&body);
	if (answer.end == LOCK_INTERRUPTED)
		session_check_interrupt(spk);
	if (answer.end != LOCK_DONE)
		spk_raise(spk, kind_of(answer.end), NULL, "cannot acquire the lock %s",
			  *answer.message ? answer.message : name);
	lock->magic = LOCK_MAGIC;
	lock->held = true;
	lock->id = answer.id;
	lock->fence = answer.fence;
	return lock;
}

void spk_lock_release(struct spk_lock *lock)
{
	struct spk *spk = session_current();
	struct buf body = {0};
	struct answer answer;

	if (!lock || !spk)
		return;
	CHECK_HANDLE(lock, LOCK_MAGIC);
	if (!lock->held)
		return;
	lock->held = false;
	wire_put_number(&body, LOCK_GIVE_BACK);
	wire_put_text(&body, lock->id);
	answer = ask(spk, &body);
	buf_free(&body);
	if (answer.end == LOCK_DONE && !*answer.message)
		return;
	/* The record's own check for an interruption would raise. */
	spk->uninterruptible++;
	spk_warn(spk, "cannot give back the lock '%s': %s, ignoring", lock->name,
		 answer.end == LOCK_MISSING ? "it is not held" : answer.message);
	spk->uninterruptible--;
}

static void release(struct spk *spk, void *argument)
{
	spk_lock_release(argument);
}

struct spk_scope *spk_lock_scope(struct spk *spk, struct spk_lock *lock)
{
	CHECK_SPK(spk);
	CHECK_HANDLE(lock, LOCK_MAGIC);
	return spk_scope_open(spk, spk_format(spk, "the lock '%s' is given back", lock->name),
			      release, lock);
}

struct spk_scope *spk_lock_acquired(struct spk *spk, const char *name,
				    const struct spk_lock_options *how)
{
	return spk_lock_scope(spk, spk_lock_acquire(spk, name, how));
}

uint64_t spk_lock_fence(const struct spk_lock *lock)
{
	CHECK_HANDLE(lock, LOCK_MAGIC);
	return lock->fence;
}

uint64_t spk_run_fence(struct spk *spk)
{
	struct buf body = {0};
	struct answer answer;

	CHECK_SPK(spk);
	wire_put_number(&body, LOCK_ASK);
	answer = ask(spk, &body);
	buf_free(&body);
	return answer.fence;
}
