/* SPDX-License-Identifier: Apache-2.0 */
#include "locks_state.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/clock.h>

#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "lockname.h"
#include "locktext.h"
#include "../run/outcome.h"
#include "../../runtime/statedir.h"

#define SECOND_NS 1000000000LL

/* ---- opening ---- */

static int open_store(struct locks *locks, const struct settings *settings, struct err *err)
{
	const char *directory = settings_text(settings, "locks.directory");

	locks->file.fd = -1;
	if (lock_store_is_local(settings) && !directory)
		return err_set(err, "'locks.directory' is not set and you have no home directory");
	/* A dry run writes nothing: it reads what is there. */
	if (lock_store_is_local(settings) && locks->dry_run) {
		if (state_dir_check(directory, err) < 0)
			return -1;
	} else if (lock_store_is_local(settings)) {
		if (run_file_make(directory, &locks->file, err) < 0)
			return -1;
		log_debug(locks->log,
			  "locks are kept in %s: they hold among those who use it on this machine",
			  directory);
	}
	lock_store_configure(settings, locks->file.path, &locks->config);
	return 0;
}

int locks_open(const struct run_options *options, struct log *log, struct locks **ret_locks,
	       struct err *err)
{
	struct locks *locks;

	*ret_locks = NULL;
	if (options->no_locks || !settings_bool(options->settings, "locks.enabled")) {
		log_debug(log, "no locks are taken: %s",
			  options->no_locks ? "--no-locks"
					    : settings_origin(options->settings, "locks.enabled"));
		return 0;
	}
	locks = xcalloc(1, sizeof(*locks));
	locks->log = log;
	locks->identity = options->identity;
	locks->dry_run = options->dry_run;
	locks->enforced = !options->in_process;
	locks->patience_ns = settings_int(options->settings, "locks.wait") * SECOND_NS;
	locks->for_link = (struct link_locks){.news_fd = -1, .lease_fd = -1, .life_fd = -1};
	if (open_store(locks, options->settings, err) < 0 ||
	    lease_create(&locks->lease, &locks->for_link.lease_fd, err) < 0 ||
	    keeper_start(&locks->config, locks->lease, &locks->keeper, err) < 0) {
		locks_close(locks);
		return -1;
	}
	locks->for_link.news_fd = keeper_fd(locks->keeper);
	locks->for_link.life_fd = locks->file.fd;
	*ret_locks = locks;
	return 0;
}

void locks_close(struct locks *locks)
{
	if (!locks)
		return;
	keeper_stop(locks->keeper);
	run_file_end(&locks->file);
	lease_free(locks->lease);
	fd_close(&locks->for_link.lease_fd);
	for (size_t i = 0; i < locks->count; i++)
		free(locks->held[i].key);
	free(locks->held);
	free(locks->wanted.key);
	lock_list_free(&locks->others);
	buf_free(&locks->others_text);
	free(locks);
}

const struct link_locks *locks_for_link(const struct locks *locks)
{
	return locks ? &locks->for_link : NULL;
}

/* ---- what is held ---- */

/* Takes the key. */
static void keep(struct locks *locks, struct held_lock *lock)
{
	locks->held = xgrow(locks->held, locks->count, &locks->capacity, sizeof(*locks->held));
	locks->held[locks->count++] = *lock;
	lock->key = NULL;
}

struct held_lock *locks_find(struct locks *locks, const char *id)
{
	for (size_t i = 0; i < locks->count; i++)
		if (strcmp(locks->held[i].id, id) == 0)
			return &locks->held[i];
	return NULL;
}

void locks_drop(struct locks *locks, struct held_lock *lock)
{
	free(lock->key);
	*lock = locks->held[--locks->count];
}

/*
 * Who of us holds the key so that nobody else could make room for `wanted`; NULL: nobody.
 */
const struct held_lock *locks_find_deadlock(const struct locks *locks,
					    const struct held_lock *wanted)
{
	const struct held_lock *found = NULL;
	int32_t limit = wanted->concurrency;
	int32_t ours = 0;

	for (size_t i = 0; i < locks->count; i++) {
		const struct held_lock *lock = &locks->held[i];

		if (strcmp(lock->key, wanted->key) != 0)
			continue;
		found = lock;
		ours++;
		if (lock->concurrency && (!limit || lock->concurrency < limit))
			limit = lock->concurrency;
	}
	return limit && ours >= limit ? found : NULL;
}

struct spk_lock_entry locks_entry(const struct locks *locks, const struct held_lock *lock)
{
	return (struct spk_lock_entry){
		.size = sizeof(struct spk_lock_entry),
		.key = lock->key,
		.id = lock->id,
		.owner = locks->identity->owner,
		.cookbook = name_of(lock->run),
		.ttl_ns = lock->ttl_ns,
		.concurrency = lock->concurrency,
		.created_ns = spk_now().ns,
	};
}

/* ---- orders ---- */

/* Takes the key of `wanted`. */
void locks_order(struct locks *locks, enum keeper_task task, const struct held_lock *wanted,
		 int64_t wait_ns)
{
	struct keeper_order new;

	free(locks->wanted.key);
	locks->wanted = *wanted;
	locks->task = task;
	locks->ordered = true;
	locks->answered = locks->waited = locks->for_child = false;
	locks->began_ns = spk_uptime().ns;
	locks->wait_ns = wait_ns;
	buf_clear(&locks->others_text);
	new = (struct keeper_order){
		.task = task,
		.entry = locks_entry(locks, &locks->wanted),
		.patience_ns = wait_ns,
	};
	keeper_order(locks->keeper, &new);
}

/* What was taken is kept until it is given back. */
void locks_settle_order(struct locks *locks)
{
	struct held_lock *wanted = &locks->wanted;
	int64_t waited = spk_uptime().ns - locks->began_ns;

	locks->ordered = false;
	if (locks->task != KEEPER_TAKE)
		return;
	if (wanted->own)
		wanted->run->lock_wait_ns = waited;
	if (locks->status != SPK_LOCK_OK)
		return;
	run_tell(wanted->run, "lock", EVENT_TEXT("key", wanted->key), EVENT_TEXT("id", wanted->id),
		 EVENT_NUMBER("fence", (int64_t)wanted->fence), EVENT_SECONDS("waited", waited),
		 EVENT_FLAG("own", wanted->own));
	keep(locks, wanted);
}

/* Waits for the answer, whatever else happens; orders that are waited for so do not take long. */
static void await_answer(struct locks *locks)
{
	struct pollfd news = {.fd = keeper_fd(locks->keeper), .events = POLLIN};

	locks_take_news(locks);
	while (!locks->answered) {
		poll(&news, 1, -1);
		locks_take_news(locks);
	}
	locks_settle_order(locks);
}

static void release(struct locks *locks, struct held_lock *lock)
{
	struct held_lock gone = *lock;

	gone.key = xstrdup(lock->key);
	locks_drop(locks, lock);
	locks_order(locks, KEEPER_GIVE_BACK, &gone, 0);
	await_answer(locks);
	if (locks->status != SPK_LOCK_OK && !locks->lost)
		log_warning(locks->log, "cannot give back the lock %s: %s, ignoring", gone.key,
			    locks->status == SPK_LOCK_MISSING ? "it was not held any more"
							      : locks->reason.text);
}

void locks_give_back(struct run *run)
{
	struct locks *locks = run->locks;

	if (!locks)
		return;
	locks_forget_child(run);
	for (size_t i = locks->count; i-- > 0;) {
		struct held_lock *lock = &locks->held[i];

		if (lock->run != run)
			continue;
		if (!lock->own)
			log_debug(locks->log, "the cookbook has left the lock %s to its end",
				  lock->key);
		release(locks, lock);
	}
}

/* ---- the lock of a run ---- */

static void say_unavailable(struct run *run)
{
	struct locks *locks = run->locks;
	struct buf text = {0};

	buf_printf(&text, "Unable to acquire the lock of cookbook %s", name_of(run));
	if (locks->status == SPK_LOCK_TIMEOUT && locks->wait_ns > 0) {
		buf_puts(&text, " within ");
		lock_text_span(locks->wait_ns, &text);
	}
	if (locks->status == SPK_LOCK_TIMEOUT)
		buf_printf(&text, ": others hold it (`spicerack locks show %s` tells more)",
			   locks->wanted.key);
	else
		buf_printf(&text, ": %s", locks->reason.text);
	if (locks->others_text.length)
		buf_printf(&text, "\n%s", buf_text(&locks->others_text));
	log_error(locks->log, "%s", buf_text(&text));
	buf_free(&text);
}

static void give_up_waiting(struct run *run)
{
	run->interrupted = true;
	run->interrupted_ns = spk_uptime().ns;
	keeper_cancel(run->locks->keeper);
}

/* What a signal does to a run that waits for its lock. */
static void on_signal_while_waiting(struct run *run, int number)
{
	if (number == SIGTSTP) {
		log_warning(run->log, "Ctrl+Z is ignored: a cookbook cannot be suspended");
		return;
	}
	run->by_terminal = number == SIGINT;
	run->stopped = true;
	give_up_waiting(run);
}

/* Attends to all that may happen while a lock is waited for, until there is an answer. */
static bool await_lock(struct run *run, int *code)
{
	int64_t deadline = stage_deadline(run, STAGE_LOCK);
	struct locks *locks = run->locks;

	while (!locks->answered) {
		int64_t held_until = locks_deadline(run);
		const struct link_event *event;

		if (locks_are_lost(run)) {
			*code = EXIT_LOST_LOCK; /* of an outer run */
			locks_forget_child(run);
			return false;
		}
		event = link_wait(&run->link, held_until < deadline ? held_until : deadline);
		switch (event->type) {
		case LINK_LOCKS:
			locks_take_news(locks);
			break;
		case LINK_SIGNAL:
			on_signal_while_waiting(run, event->signal);
			break;
		case LINK_TIMEOUT:
			/* Or it was the locks' time, which may have moved on. */
			if (spk_uptime().ns >= deadline) {
				deadline = INT64_MAX;
				give_up_waiting(run);
			}
			break;
		case LINK_OUTER_DEATH:
			give_up_waiting(run);
			break;
		default:
			/* The child has nothing to say now; what it says is its end. */
			log_error(run->log, "Cookbook %s died while it waited for its lock",
				  name_of(run));
			*code = EXIT_CRASHED;
			locks_forget_child(run);
			return false;
		}
	}
	locks_settle_order(locks);
	return true;
}

static bool look_for_run(struct run *run, struct held_lock *wanted, int *code)
{
	locks_order(run->locks, KEEPER_LIST, wanted, 0);
	if (!await_lock(run, code))
		return false;
	locks_tell_what_would_be(run->locks);
	return true;
}

static bool take_for_run(struct run *run, struct held_lock *wanted, int *code)
{
	struct locks *locks = run->locks;
	const struct held_lock *deadlock = locks_find_deadlock(locks, wanted);

	if (deadlock) {
		log_error(run->log,
			  "Unable to acquire the lock of cookbook %s: this run itself holds %s, "
			  "for cookbook %s, and waits for what wants it",
			  name_of(run), wanted->key, name_of(deadlock->run));
		free(wanted->key);
		*code = EXIT_NO_LOCK;
		return false;
	}
	locks_order(locks, KEEPER_TAKE, wanted, locks->patience_ns);
	if (!await_lock(run, code))
		return false;
	if (locks->status == SPK_LOCK_OK && !run->interrupted)
		return true;
	if (run->interrupted) {
		log_warning(run->log, "Interrupted while waiting for the lock of cookbook %s",
			    name_of(run));
		*code = EXIT_INTERRUPTED;
	} else {
		say_unavailable(run);
		*code = EXIT_NO_LOCK;
	}
	return false;
}

bool locks_take_for_run(struct run *run, const struct stage_result *wanted, int *code)
{
	struct held_lock lock = {.run = run, .own = true, .ttl_ns = wanted->lock_ttl_ns};
	struct err err;
	char *name;

	if (!run->locks)
		return true;
	/* 0 is unlimited for the stores, as it is for the Python host. */
	lock.concurrency = wanted->lock_concurrency > 0 ? wanted->lock_concurrency : 0;
	name = wanted->text ? xasprintf("%s:%s", name_of(run), wanted->text)
			    : xstrdup(name_of(run));
	lock.key = lock_key(LOCK_COOKBOOK, name, &err);
	free(name);
	if (!lock.key) {
		log_error(run->log, "cannot take the lock of cookbook %s: %s", name_of(run),
			  err.text);
		*code = EXIT_INIT_FAILED;
		return false;
	}
	uuid_make(lock.id);
	return run->locks->dry_run ? look_for_run(run, &lock, code)
				   : take_for_run(run, &lock, code);
}

/* ---- a child that is interrupted, or gone ---- */

void locks_interrupt(struct run *run)
{
	if (run->locks && run->locks->ordered && run->locks->task == KEEPER_TAKE)
		keeper_cancel(run->locks->keeper);
}

void locks_forget_child(struct run *run)
{
	struct locks *locks = run->locks;

	if (!locks || !locks->ordered)
		return;
	if (locks->task == KEEPER_TAKE)
		keeper_cancel(locks->keeper);
	await_answer(locks);
}

/* ---- held means held ---- */

int64_t locks_deadline(const struct run *run)
{
	return run->locks && run->locks->enforced ? lease_get(run->locks->lease) : INT64_MAX;
}

bool locks_are_lost(struct run *run)
{
	struct locks *locks = run->locks;

	if (!locks || !locks->enforced || (!locks->lost && !lease_is_over(locks->lease)))
		return false;
	if (!locks->lost && locks->keeper)
		locks_take_news(locks);
	if (!locks->told_lost)
		log_error(locks->log,
			  "The lock of this run is lost: %s. Cookbook %s is stopped and not rolled "
			  "back, since another may be at work by now",
			  locks->lost ? locks->reason.text : "it could not be renewed in time",
			  name_of(run));
	locks->lost = locks->told_lost = true;
	return true;
}
