/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of locks of one machine: a table of who holds and who waits, in the order in which they
 * came. Whoever holds or waits is a run that keeps its run file locked; the kernel frees
 * that when the last process of the run is gone, so that nothing has to be renewed, and a dead
 * run's entries do not count from that moment on. Who gives a lock back hands it to the next
 * in line and wakes that one.
 */
#include "rows.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long a wake-up that was lost, or a death that could not be watched, may go unnoticed. */
#define LOOK_AGAIN_NS 2000000000LL
#define LOOK_AGAIN_BLIND_NS 100000000LL
/* How often a run looks whether its locks are still there: an operator may have taken them. */
#define CHECK_NS 5000000000LL
/* Of the holders in the way, so many are watched for their death. */
#define WATCHED_MAX 32

SPK_API extern const struct spk_lock_driver spk_driver;

struct held {
	char *key, *id;
};

/* ---- what is ours ---- */

/* Once for each. False without memory. */
static bool note_held(struct store *store, const char *key, const char *id)
{
	struct held new = {0}, *held;
	bool failed = false;

	for (size_t i = 0; i < store->held_count; i++)
		if (strcmp(store->held[i].id, id) == 0)
			return true;
	held = reallocarray(store->held, store->held_count + 1, sizeof(*held));
	if (!held)
		return false;
	store->held = held;
	new.key = rows_copy(key, &failed);
	new.id = rows_copy(id, &failed);
	if (failed) {
		free(new.key);
		free(new.id);
		return false;
	}
	held[store->held_count++] = new;
	return true;
}

static void forget_held(struct store *store, const char *id)
{
	for (size_t i = 0; i < store->held_count; i++) {
		if (strcmp(store->held[i].id, id) != 0)
			continue;
		free(store->held[i].key);
		free(store->held[i].id);
		store->held[i] = store->held[--store->held_count];
		return;
	}
}

/* ---- showing ---- */

/* The place in the line of each row that is left, as it is shown. */
static void number_places(struct store *store)
{
	uint32_t place = 0;

	for (size_t i = 0; i < store->count; i++) {
		struct row *row = &store->rows[i];

		if (i > 0 && strcmp(row->entry.key, row[-1].entry.key) != 0)
			place = 0;
		row->entry.place = row_is_waiting(row) ? ++place : 0;
	}
}

/* Shows who is in the way of `own`: those who hold, freezes, and who stands in line before it. */
static void show_others(const struct store *store, const struct row *own, spk_lock_visitor *visitor,
			void *data)
{
	for (size_t i = 0; visitor && i < store->count; i++) {
		const struct row *row = &store->rows[i];

		if (!row->gone && (!row_is_waiting(row) || row->number < own->number))
			visitor(data, &row->entry);
	}
}

/* A number for who is in the way of `own`; another one when they have changed. */
static uint64_t sum_of_others(const struct store *store, const struct row *own)
{
	uint64_t sum = 0xcbf29ce484222325U;

	for (size_t i = 0; i < store->count; i++) {
		const struct row *row = &store->rows[i];

		if (!row->gone && row != own && (!row_is_waiting(row) || row->number < own->number))
			sum = (sum ^ (row->number * 2 + row_is_holding(row))) * 0x100000001b3U;
	}
	return sum;
}

static enum spk_lock_status answer_waiting(struct store *store, const struct row *own,
					   struct spk_lock_entry *entry, spk_lock_visitor *visitor,
					   void *data)
{
	entry->place = own->entry.place;
	store->shown = sum_of_others(store, own);
	show_others(store, own, visitor, data);
	return SPK_LOCK_WAITING;
}

static enum spk_lock_status answer_held(const struct row *own, struct spk_lock_entry *entry)
{
	entry->place = 0;
	entry->fence = own->entry.fence;
	entry->created_ns = own->entry.created_ns;
	return SPK_LOCK_OK;
}

/* ---- the calls ---- */

static const char *setting(const struct spk_lock_setting *settings, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(settings[i].name, name) == 0)
			return settings[i].value;
	return NULL;
}

static void free_store(struct store *store)
{
	rows_forget(store);
	for (size_t i = 0; i < store->held_count; i++) {
		free(store->held[i].key);
		free(store->held[i].id);
	}
	database_close(store);
	if (store->runs_fd >= 0)
		close(store->runs_fd);
	free(store->rows);
	free(store->held);
	free(store->directory);
	free(store->file);
	free(store);
}

/* SQLite is told to follow no links, which may well lead to where the directory is. */
static void set_paths(struct store *store, const char *directory)
{
	store->directory = realpath(directory, NULL);
	if (!store->directory)
		store->directory = strdup(directory);
	if (!store->directory || asprintf(&store->file, "%s/" DATABASE_NAME, store->directory) < 0)
		store->file = NULL;
}

static void *open_store(const struct spk_lock_setting *settings, size_t count,
			struct spk_reason_buffer *reason)
{
	const char *directory = setting(settings, count, "directory");
	const char *run_file = setting(settings, count, "run_file");
	const char *run = run_file ? strrchr(run_file, '/') : NULL;
	struct store *store = calloc(1, sizeof(*store));

	if (!store || !directory) {
		store_reason(reason, directory ? "out of memory" : "locks.directory is not set");
		free(store);
		return NULL;
	}
	store->runs_fd = -1;
	if (run && run_is_name(run + 1))
		memcpy(store->own_run, run + 1, sizeof(store->own_run));
	set_paths(store, directory);
	if (!store->file) {
		store_reason(reason, "out of memory");
	} else {
		store->absent = !store->own_run[0] && !database_exists(store);
		if (store->absent || rows_open_all(store, reason) == 0)
			return store;
	}
	free_store(store);
	return NULL;
}

static enum spk_lock_status enter(void *data, struct spk_lock_entry *entry,
				  spk_lock_visitor *visitor, void *visitor_data,
				  struct spk_lock_call *call)
{
	struct store *store = data;
	enum spk_lock_status status = rows_start(store, entry->key, true, call);
	struct row *own = status == SPK_LOCK_OK ? rows_find(store, entry->id) : NULL;
	bool fresh = status == SPK_LOCK_OK && !own;
	bool failed = false;

	if (fresh) {
		own = rows_add(store);
		if (own) {
			own->entry = *entry;
			own->entry.fence = 0;
			own->entry.reason = NULL;
			own->entry.created_ns = rows_now();
			own->run = rows_copy(store->own_run, &failed);
			status = database_number(store, &own->number);
		}
		if (!own || failed)
			status = rows_no_memory(store);
	}
	if (status == SPK_LOCK_OK && !note_held(store, entry->key, entry->id))
		status = rows_no_memory(store);
	status = rows_finish(store, status, fresh ? own : NULL);
	if (status != SPK_LOCK_OK || !own) {
		if (fresh)
			forget_held(store, entry->id);
		return status;
	}
	entry->created_ns = own->entry.created_ns;
	/* It is there, as has just been seen. */
	if (store->held_count == 1)
		store->check_ns = store_now() + CHECK_NS;
	if (row_is_holding(own))
		return answer_held(own, entry);
	number_places(store);
	return answer_waiting(store, own, entry, visitor, visitor_data);
}

/*
 * Strikes those in the way of `own` who are gone. True when that, or anything else, means that the
 * key has to be settled anew.
 */
static bool strike(struct store *store, const struct row *own)
{
	int64_t now = rows_now();
	bool any = false;

	for (size_t i = 0; i < store->count; i++) {
		struct row *row = &store->rows[i];

		if (row_is_waiting(row) && row->number >= own->number)
			continue;
		row->gone = row_is_over(store, row, now);
		any |= row->gone;
	}
	return any || (own->entry.place == 1 && row_fits(store, own));
}

/* Listens for what may let `own` in: for the first in line the holders' end, else the next before.
 */
static bool watch_others(struct store *store, const struct row *own, int watch)
{
	size_t watched = 0;
	bool all = true;

	for (const struct row *row = own; row-- > store->rows;) {
		if (row_is_freeze(row) || (own->entry.place == 1 && !row_is_holding(row)))
			continue;
		if (++watched > WATCHED_MAX)
			return all;
		all = watch_add(store, watch, row->run, true) && all;
		if (own->entry.place != 1)
			break;
	}
	return all;
}

/* When a freeze ends that is in the way, of CLOCK_BOOTTIME; INT64_MAX: there is none. */
static int64_t thaw(const struct store *store)
{
	int64_t first = INT64_MAX;
	int64_t now = rows_now();

	for (size_t i = 0; i < store->count; i++) {
		const struct spk_lock_entry *entry = &store->rows[i].entry;
		int64_t end;

		if (!row_is_freeze(&store->rows[i]) ||
		    __builtin_add_overflow(entry->created_ns, entry->ttl_ns, &end))
			continue;
		if (end - now < first - store_now())
			first = store_now() + (end - now);
	}
	return first;
}

/* As settle(), and strikes the dead who only wait before `entry`, too. */
static struct row *settle_before(struct store *store, const struct spk_lock_entry *entry,
				 enum spk_lock_status *status, struct spk_lock_call *call)
{
	const struct row *own;

	*status = rows_start(store, entry->key, true, call);
	own = *status == SPK_LOCK_OK ? rows_find(store, entry->id) : NULL;
	if (own)
		strike(store, own);
	*status = rows_finish(store, *status, NULL);
	number_places(store);
	return *status == SPK_LOCK_OK ? rows_find(store, entry->id) : NULL;
}

/* One look at the key. WAITING: not yet, and *ret_until is when to look again in any case. */
static enum spk_lock_status look(struct store *store, struct spk_lock_entry *entry, int watch,
				 int64_t *ret_until, struct spk_lock_call *call)
{
	enum spk_lock_status status = database_end(store,
						   rows_start(store, entry->key, false, call));
	struct row *own = status == SPK_LOCK_OK ? rows_find(store, entry->id) : NULL;
	bool all;

	if (own && row_is_waiting(own)) {
		number_places(store);
		/* Watched first, examined then: who dies in between is seen by one of them. */
		all = watch_others(store, own, watch);
		*ret_until = store_now() + (all ? LOOK_AGAIN_NS : LOOK_AGAIN_BLIND_NS);
		if (thaw(store) < *ret_until)
			*ret_until = thaw(store);
		if (strike(store, own))
			own = settle_before(store, entry, &status, call);
	}
	if (status != SPK_LOCK_OK)
		return status;
	if (!own) {
		forget_held(store, entry->id);
		store_reason(&call->reason, "somebody has removed it");
		return SPK_LOCK_LOST;
	}
	return row_is_holding(own) ? answer_held(own, entry) : SPK_LOCK_WAITING;
}

static enum spk_lock_status wait_turn(void *data, struct spk_lock_entry *entry,
				      spk_lock_visitor *visitor, void *visitor_data,
				      struct spk_lock_call *call)
{
	struct store *store = data;
	int watch = watch_open();
	enum spk_lock_status status;
	const struct row *own;
	int64_t until = 0;

	/* Before the first look: who lets us in between the two wakes us. */
	if (!watch_add(store, watch, store->own_run, false) && watch >= 0) {
		close(watch);
		watch = -1;
	}
	for (;;) {
		status = look(store, entry, watch, &until, call);
		if (status != SPK_LOCK_WAITING)
			break;
		own = rows_find(store, entry->id);
		if (sum_of_others(store, own) != store->shown) {
			status = answer_waiting(store, own, entry, visitor, visitor_data);
			break;
		}
		status = watch_wait(watch, call, until);
		if (status != SPK_LOCK_OK)
			break;
	}
	if (watch >= 0)
		close(watch);
	return status;
}

static enum spk_lock_status remove_entry(void *data, const char *key, const char *id,
					 struct spk_lock_call *call)
{
	struct store *store = data;
	enum spk_lock_status status = rows_start(store, key, true, call);
	struct row *row = status == SPK_LOCK_OK ? rows_find(store, id) : NULL;

	if (row)
		row->gone = true;
	status = rows_finish(store, status, NULL);
	if (status == SPK_LOCK_OK && row && row->run && strcmp(row->run, store->own_run) != 0)
		run_wake(store, row->run);
	return status == SPK_LOCK_OK && !row ? SPK_LOCK_MISSING : status;
}

static enum spk_lock_status leave(void *data, const struct spk_lock_entry *entry,
				  struct spk_lock_call *call)
{
	enum spk_lock_status status = remove_entry(data, entry->key, entry->id, call);

	if (status == SPK_LOCK_OK || status == SPK_LOCK_MISSING)
		forget_held(data, entry->id);
	return status;
}

static enum spk_lock_status renew(void *data, int64_t *ret_until, int64_t *ret_next,
				  struct spk_lock_call *call)
{
	struct store *store = data;
	enum spk_lock_status status = SPK_LOCK_OK;

	*ret_until = INT64_MAX;
	if (store->held_count == 0 || store_now() < store->check_ns) {
		*ret_next = store->held_count ? store->check_ns : INT64_MAX;
		return SPK_LOCK_OK;
	}
	store->check_ns = *ret_next = store_now() + CHECK_NS;
	if (!database_is_in_place(store)) {
		store_reason(&call->reason, "'%s' was removed or replaced", store->file);
		return SPK_LOCK_LOST;
	}
	for (size_t i = 0; i < store->held_count && status == SPK_LOCK_OK; i++) {
		status = rows_start(store, store->held[i].key, false, call);
		if (status == SPK_LOCK_OK && !rows_find(store, store->held[i].id)) {
			store_reason(&call->reason, "somebody has removed it from the key '%s'",
				     store->held[i].key);
			status = SPK_LOCK_LOST;
		}
		if (status == SPK_LOCK_LOST)
			database_end(store, SPK_LOCK_OK);
		else
			status = database_end(store, status);
	}
	/* What cannot be read now is held all the same: the kernel says so. */
	return status == SPK_LOCK_TIMEOUT || status == SPK_LOCK_CANCELLED ? SPK_LOCK_OK : status;
}

static enum spk_lock_status list(void *data, const char *key, spk_lock_visitor *visitor,
				 void *visitor_data, struct spk_lock_call *call)
{
	struct store *store = data;
	enum spk_lock_status status = SPK_LOCK_OK;
	int64_t now = rows_now();

	rows_forget(store);
	if (!store->absent)
		status = database_end(store, rows_start(store, key, false, call));
	if (status != SPK_LOCK_OK)
		return status;
	for (size_t i = 0; i < store->count; i++)
		store->rows[i].gone = row_is_over(store, &store->rows[i], now);
	number_places(store);
	for (size_t i = 0; i < store->count; i++)
		if (!store->rows[i].gone)
			visitor(visitor_data, &store->rows[i].entry);
	return SPK_LOCK_OK;
}

static enum spk_lock_status freeze(void *data, struct spk_lock_entry *entry,
				   struct spk_lock_call *call)
{
	struct store *store = data;
	enum spk_lock_status status = rows_start(store, entry->key, true, call);
	struct row *row = status == SPK_LOCK_OK ? rows_add(store) : NULL;

	if (status == SPK_LOCK_OK && !row)
		status = rows_no_memory(store);
	if (row) {
		row->entry = *entry;
		row->entry.concurrency = 0;
		row->entry.fence = 0;
		row->entry.created_ns = entry->created_ns = rows_now();
		status = database_number(store, &row->number);
	}
	return rows_finish(store, status, row);
}

static void close_store(void *data, struct spk_lock_call *call)
{
	struct store *store = data;

	while (store->held_count > 0) {
		struct spk_lock_entry entry = {.key = store->held[0].key, .id = store->held[0].id};

		if (leave(store, &entry, call) != SPK_LOCK_OK)
			break;
	}
	sweep(store, call);
	free_store(store);
}

const struct spk_lock_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_lock_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "lock",
		   .name = "sqlite"},
	.open = open_store,
	.close = close_store,
	.enter = enter,
	.wait = wait_turn,
	.leave = leave,
	.renew = renew,
	.list = list,
	.remove = remove_entry,
	.freeze = freeze,
	.keeps_files = 1,
};
