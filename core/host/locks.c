/* SPDX-License-Identifier: Apache-2.0 */
#include "locks.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/clock.h>

#include "../runtime/fd.h"
#include "../runtime/mem.h"
#include "keeper.h"
#include "lockname.h"
#include "locktext.h"
#include "outcome.h"
#include "runfile.h"
#include "signals.h"

#define SECOND_NS 1000000000LL

/* A lock that is held, or waited for. */
struct held_lock {
	char *key;
	char id[UUID_SIZE];
	const struct run *run; /* whose it is */
	bool own;              /* the run's, not one that its cookbook asked for */
	int32_t concurrency;
	int64_t ttl_ns;
	uint64_t fence;
};

struct locks {
	struct log *log;
	const struct identity *identity;
	bool dry_run, enforced;
	int64_t patience_ns; /* of who has none of his own */
	struct lock_store_config config;
	struct run_file file;
	struct lease *lease;
	struct link_locks for_link;
	struct keeper *keeper;
	struct held_lock *held;
	size_t count, capacity;
	bool lost, told_lost;
	/* The order under way. */
	bool ordered, answered, waited;
	enum keeper_task task;
	struct held_lock wanted;
	bool for_child; /* who waits for the answer */
	int64_t began_ns, wait_ns;
	enum spk_lock_status status;
	struct err reason;
	struct lock_list others;
	struct buf others_text; /* as it was told last */
};

/* ---- opening ---- */

static int open_store(struct locks *locks, const struct settings *settings, struct err *err)
{
	const char *directory = settings_text(settings, "locks.directory");

	locks->file.fd = -1;
	if (lock_store_is_local(settings) && !directory)
		return err_set(err, "'locks.directory' is not set and you have no home directory");
	/* A dry run writes nothing: it reads what is there. */
	if (lock_store_is_local(settings) && locks->dry_run) {
		if (run_file_check(directory, err) < 0)
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

static struct held_lock *find_held(struct locks *locks, const char *id)
{
	for (size_t i = 0; i < locks->count; i++)
		if (strcmp(locks->held[i].id, id) == 0)
			return &locks->held[i];
	return NULL;
}

static void drop(struct locks *locks, struct held_lock *lock)
{
	free(lock->key);
	*lock = locks->held[--locks->count];
}

/*
 * Who of us holds the key so that nobody else could make room for `wanted`; NULL: nobody.
 */
static const struct held_lock *find_deadlock(const struct locks *locks,
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

static struct spk_lock_entry entry_of(const struct locks *locks, const struct held_lock *lock)
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

/* ---- news ---- */

static void tell_wait(struct locks *locks, const struct keeper_news *news, const char *others)
{
	struct spk_lock_entry wanted = entry_of(locks, &locks->wanted);
	struct buf text = {0};

	if (news->entry.created_ns)
		wanted.created_ns = news->entry.created_ns;
	if (news->type == KEEPER_RETRIES) {
		buf_printf(&text,
			   "[%u/%u, retrying in %.2fs] Unable to acquire lock: ", news->attempt,
			   news->attempts, (double)news->delay_ns / 1e9);
	} else {
		buf_puts(&text, "Waiting for lock (up to ");
		lock_text_span(locks->wait_ns, &text);
		buf_puts(&text, "): ");
	}
	lock_text_wanted(&wanted, &text);
	buf_printf(&text, " for key %s.\n%s", locks->wanted.key, others);
	if (news->type == KEEPER_RETRIES)
		log_warning(locks->log, "%s", buf_text(&text));
	else
		log_info(locks->log, "%s", buf_text(&text));
	buf_free(&text);
}

/* Says who is in the way, where that is new. */
static void on_wait(struct locks *locks, struct keeper_news *news)
{
	const struct spk_lock_entry wanted = entry_of(locks, &locks->wanted);
	struct buf text = {0};

	lock_text_others(&news->others, &wanted, &text);
	if (locks->wait_ns > 0 && (news->type == KEEPER_RETRIES ||
				   strcmp(buf_text(&text), buf_text(&locks->others_text)) != 0))
		tell_wait(locks, news, buf_text(&text));
	locks->waited = true;
	buf_clear(&locks->others_text);
	buf_puts(&locks->others_text, buf_text(&text));
	buf_free(&text);
}

static void on_silence(struct locks *locks, const struct keeper_news *news)
{
	struct buf text = {0};

	buf_printf(&text, "The store of locks does not answer: %s", news->reason.text);
	if (news->until_ns != INT64_MAX && locks->enforced) {
		buf_puts(&text, "; without an answer the cookbook is stopped in ");
		lock_text_span(news->until_ns - spk_uptime().ns, &text);
	}
	log_warning(locks->log, "%s", buf_text(&text));
	buf_free(&text);
}

static void on_old(struct locks *locks, const struct keeper_news *news)
{
	const struct held_lock *lock = find_held(locks, news->id);

	if (lock)
		log_warning(locks->log,
			    "The lock %s is held for longer than its ttl, %lld s; it is held all "
			    "the same",
			    lock->key, (long long)(lock->ttl_ns / SECOND_NS));
}

static void on_answer(struct locks *locks, struct keeper_news *news)
{
	locks->answered = true;
	locks->status = news->status;
	locks->reason = news->reason;
	locks->wanted.fence = news->entry.fence;
	lock_list_free(&locks->others);
	locks->others = news->others;
	news->others = (struct lock_list){0};
	if (news->status == SPK_LOCK_OK && locks->task == KEEPER_TAKE && locks->waited)
		log_info(locks->log, "Got the lock %s after %.1f s", locks->wanted.key,
			 (double)(spk_uptime().ns - locks->began_ns) / 1e9);
}

static void take_news(struct locks *locks)
{
	struct keeper_news *news;

	while ((news = keeper_take_news(locks->keeper))) {
		switch (news->type) {
		case KEEPER_ANSWER:
			on_answer(locks, news);
			break;
		case KEEPER_WAITS:
		case KEEPER_RETRIES:
			on_wait(locks, news);
			break;
		case KEEPER_SILENCE:
			on_silence(locks, news);
			break;
		case KEEPER_SPEAKS:
			log_info(locks->log, "The store of locks answers again");
			break;
		case KEEPER_LOST:
			locks->lost = true;
			locks->reason = news->reason;
			break;
		case KEEPER_OLD:
			on_old(locks, news);
			break;
		}
		keeper_news_free(news);
	}
}

/* ---- orders ---- */

/* Takes the key of `wanted`. */
static void order(struct locks *locks, enum keeper_task task, const struct held_lock *wanted,
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
		.entry = entry_of(locks, &locks->wanted),
		.patience_ns = wait_ns,
	};
	keeper_order(locks->keeper, &new);
}

/* What was taken is kept until it is given back. */
static void settle_order(struct locks *locks)
{
	locks->ordered = false;
	if (locks->task == KEEPER_TAKE && locks->status == SPK_LOCK_OK)
		keep(locks, &locks->wanted);
}

/* Waits for the answer, whatever else happens; orders that are waited for so do not take long. */
static void await_answer(struct locks *locks)
{
	struct pollfd news = {.fd = keeper_fd(locks->keeper), .events = POLLIN};

	take_news(locks);
	while (!locks->answered) {
		poll(&news, 1, -1);
		take_news(locks);
	}
	settle_order(locks);
}

static void release(struct locks *locks, struct held_lock *lock)
{
	struct held_lock gone = *lock;

	gone.key = xstrdup(lock->key);
	drop(locks, lock);
	order(locks, KEEPER_GIVE_BACK, &gone, 0);
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
	if (locks->wait_ns > 0) {
		buf_puts(&text, " within ");
		lock_text_span(locks->wait_ns, &text);
	}
	buf_printf(&text, ": %s (`spicerack locks show %s` tells more)",
		   locks->status == SPK_LOCK_TIMEOUT ? "others hold it" : locks->reason.text,
		   locks->wanted.key);
	if (locks->others_text.length)
		buf_printf(&text, "\n%s", buf_text(&locks->others_text));
	log_error(locks->log, "%s", buf_text(&text));
	buf_free(&text);
}

/* What a signal does to a run that waits for its lock. */
static void on_signal_while_waiting(struct run *run, int number)
{
	if (number == SIGTSTP) {
		log_warning(run->log, "Ctrl+Z is ignored: a cookbook cannot be suspended");
		return;
	}
	run->by_terminal = number == SIGINT;
	run->interrupted = run->stopped = true;
	keeper_cancel(run->locks->keeper);
}

/* Attends to all that may happen while a lock is waited for, until there is an answer. */
static bool await_lock(struct run *run, int *code)
{
	int64_t deadline = run->outer ? run->outer->deadline_ns : INT64_MAX;
	struct locks *locks = run->locks;

	while (!locks->answered) {
		const struct link_event *event = link_wait(&run->link, deadline);

		switch (event->type) {
		case LINK_LOCKS:
			take_news(locks);
			break;
		case LINK_SIGNAL:
			on_signal_while_waiting(run, event->signal);
			break;
		case LINK_TIMEOUT:
		case LINK_OUTER_DEATH:
			deadline = INT64_MAX;
			run->interrupted = true;
			keeper_cancel(locks->keeper);
			break;
		default:
			/* The child has nothing to say now; what it says all the same is its end.
			 */
			log_error(run->log, "Cookbook %s died while it waited for its lock",
				  name_of(run));
			*code = EXIT_CRASHED;
			locks_forget_child(run);
			return false;
		}
	}
	settle_order(locks);
	return true;
}

/* A dry run takes no lock, and says what another run would wait for. */
static void tell_what_would_be(struct locks *locks)
{
	const struct spk_lock_entry entry = entry_of(locks, &locks->wanted);
	struct buf text = {0};

	if (locks->status != SPK_LOCK_OK) {
		log_warning(locks->log, "cannot tell whether the lock %s is free: %s",
			    locks->wanted.key, locks->reason.text);
	} else if (lock_list_admits(&locks->others, entry.concurrency)) {
		log_debug(locks->log, "would take the lock %s", locks->wanted.key);
	} else {
		buf_puts(&text, "would wait for lock: ");
		lock_text_wanted(&entry, &text);
		buf_printf(&text, " for key %s.\n", locks->wanted.key);
		lock_text_others(&locks->others, &entry, &text);
		log_info(locks->log, "%s", buf_text(&text));
	}
	buf_free(&text);
}

static bool look_for_run(struct run *run, struct held_lock *wanted, int *code)
{
	order(run->locks, KEEPER_LIST, wanted, 0);
	if (!await_lock(run, code))
		return false;
	tell_what_would_be(run->locks);
	return true;
}

static bool take_for_run(struct run *run, struct held_lock *wanted, int *code)
{
	struct locks *locks = run->locks;
	const struct held_lock *deadlock = find_deadlock(locks, wanted);

	if (deadlock) {
		log_error(run->log,
			  "Unable to acquire the lock of cookbook %s: this run itself holds %s, "
			  "for cookbook %s, and waits for what wants it",
			  name_of(run), wanted->key, name_of(deadlock->run));
		free(wanted->key);
		*code = EXIT_NO_LOCK;
		return false;
	}
	order(locks, KEEPER_TAKE, wanted, locks->patience_ns);
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

/* ---- locks that a cookbook asks for ---- */

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
		answer(run, LOCK_DONE, "", find_held(locks, taken.id));
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

	take_news(locks);
	if (!locks->ordered || !locks->answered || !locks->for_child)
		return;
	settle_order(locks);
	switch (locks->task) {
	case KEEPER_TAKE:
		answer_taken(run);
		break;
	case KEEPER_GIVE_BACK:
		answer(run, LOCK_DONE, locks->status == SPK_LOCK_OK ? "" : locks->reason.text,
		       NULL);
		break;
	case KEEPER_LIST:
		tell_what_would_be(locks);
		answer(run, LOCK_DONE, "", NULL);
		break;
	}
}

/* An order of the child's, whose answer is the child's answer. */
static void order_for_child(struct run *run, enum keeper_task task, const struct held_lock *wanted,
			    int64_t wait_ns)
{
	order(run->locks, task, wanted, wait_ns);
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
	deadlock = locks ? find_deadlock(locks, &wanted) : NULL;
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
	struct held_lock *lock = run->locks ? find_held(run->locks, id) : NULL;
	struct held_lock gone;

	if (!lock || lock->run != run || lock->own) {
		answer(run, run->locks && *id ? LOCK_MISSING : LOCK_DONE, "", NULL);
		return;
	}
	gone = *lock;
	gone.key = xstrdup(lock->key);
	drop(run->locks, lock);
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
		take_news(locks);
	if (!locks->told_lost)
		log_error(locks->log,
			  "The lock of this run is lost: %s. Cookbook %s is stopped and not rolled "
			  "back, since another may be at work by now",
			  locks->lost ? locks->reason.text : "it could not be renewed in time",
			  name_of(run));
	locks->lost = locks->told_lost = true;
	return true;
}
