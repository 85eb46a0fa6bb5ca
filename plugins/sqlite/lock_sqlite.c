/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of locks of one machine: a table of who holds and who waits, in the order in which they
 * came. Whoever holds or waits is a run that keeps its run file locked; the kernel frees
 * that when the last process of the run is gone, so that nothing has to be renewed, and a dead
 * run's entries do not count from that moment on. Who gives a lock back hands it to the next
 * in line and wakes that one.
 */
#include "store.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long a wake-up that was lost, or a death that could not be watched, may go unnoticed. */
#define LOOK_AGAIN_NS 2000000000LL
#define LOOK_AGAIN_BLIND_NS 100000000LL
/* How often a run looks whether its locks are still there: an operator may have taken them. */
#define CHECK_NS 5000000000LL
/* Of the holders in the way, so many are watched for their death. */
#define WATCHED_MAX 32

SPK_API extern const struct spk_lock_driver spk_driver;

struct row {
	struct spk_lock_entry entry;
	uint64_t number;
	char *run;          /* NULL: a freeze */
	bool gone, granted; /* in this transaction */
	char *texts[5];     /* what the entry points to */
};

struct held {
	char *key, *id;
};

static int64_t wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static enum spk_lock_status no_memory(struct store *store)
{
	store_reason(&store->call->reason, "'%s': out of memory", store->file);
	return SPK_LOCK_REFUSED;
}

/* ---- the rows of a key ---- */

static void forget_rows(struct store *store)
{
	for (size_t i = 0; i < store->count; i++) {
		free(store->rows[i].run);
		for (size_t j = 0; j < sizeof(store->rows[i].texts) / sizeof(char *); j++)
			free(store->rows[i].texts[j]);
	}
	store->count = 0;
}

static struct row *add_row(struct store *store)
{
	size_t capacity = store->capacity ? 2 * store->capacity : 16;
	struct row *rows;

	if (store->count == store->capacity) {
		rows = reallocarray(store->rows, capacity, sizeof(*rows));
		if (!rows)
			return NULL;
		store->rows = rows;
		store->capacity = capacity;
	}
	store->rows[store->count] = (struct row){.entry.size = sizeof(struct spk_lock_entry)};
	return &store->rows[store->count++];
}

/* NULL stays NULL. */
static char *copy(const void *text, bool *failed)
{
	char *copied = text ? strdup(text) : NULL;

	if (text && !copied)
		*failed = true;
	return copied;
}

/* The columns stand in the order of database.c. What is not as it must be is a damaged file. */
static enum spk_lock_status read_row(struct store *store, sqlite3_stmt *from)
{
	static const unsigned char text_columns[] = {1, 3, 4, 5, 10};
	struct row *row = add_row(store);
	bool failed = !row;

	if (!row)
		return no_memory(store);
	row->number = (uint64_t)sqlite3_column_int64(from, 0);
	row->run = copy(sqlite3_column_text(from, 2), &failed);
	for (size_t i = 0; i < sizeof(text_columns); i++)
		row->texts[i] = copy(sqlite3_column_text(from, text_columns[i]), &failed);
	if (failed)
		return no_memory(store);
	row->entry.id = row->texts[0];
	row->entry.owner = row->texts[1];
	row->entry.cookbook = row->texts[2];
	row->entry.reason = row->texts[3];
	row->entry.key = row->texts[4];
	row->entry.created_ns = sqlite3_column_int64(from, 6);
	row->entry.ttl_ns = sqlite3_column_int64(from, 7);
	row->entry.concurrency = sqlite3_column_int(from, 8);
	row->entry.fence = (uint64_t)sqlite3_column_int64(from, 9);
	if (row->entry.id && row->entry.owner && row->entry.key && row->entry.concurrency >= 0 &&
	    row->entry.ttl_ns > 0 && (row->run || row->entry.reason))
		return SPK_LOCK_OK;
	store_reason(&store->call->reason, "'%s': an entry of the key '%s' is damaged", store->file,
		     row->entry.key ? row->entry.key : "");
	return SPK_LOCK_REFUSED;
}

/* Reads all rows of a key, or of all keys with NULL, in their order. */
static enum spk_lock_status read_rows(struct store *store, const char *key)
{
	sqlite3_stmt *select = database_statement(store, key ? SELECT_KEY : SELECT_ALL);
	enum spk_lock_status status = SPK_LOCK_OK;
	int code = SQLITE_NOMEM;

	forget_rows(store);
	if (key)
		sqlite3_bind_text(select, 1, key, -1, SQLITE_STATIC);
	while (status == SPK_LOCK_OK && (code = sqlite3_step(select)) == SQLITE_ROW)
		status = read_row(store, select);
	sqlite3_reset(select);
	if (status == SPK_LOCK_OK && code != SQLITE_DONE)
		status = database_failed(store, code);
	return status;
}

static struct row *find_row(struct store *store, const char *id)
{
	for (size_t i = 0; i < store->count; i++)
		if (!store->rows[i].gone && strcmp(store->rows[i].entry.id, id) == 0)
			return &store->rows[i];
	return NULL;
}

/* ---- the rules ---- */

static bool is_freeze(const struct row *row)
{
	return row->entry.reason != NULL;
}

static bool is_holding(const struct row *row)
{
	return !row->gone && !is_freeze(row) && row->entry.fence != 0;
}

static bool is_waiting(const struct row *row)
{
	return !row->gone && !is_freeze(row) && row->entry.fence == 0;
}

/* Whether it is there in the table only. */
static bool is_over(const struct store *store, const struct row *row, int64_t now)
{
	int64_t end;

	if (!is_freeze(row))
		return !run_is_alive(store, row->run);
	return !__builtin_add_overflow(row->entry.created_ns, row->entry.ttl_ns, &end) &&
	       end <= now;
}

/* Whether the waiting row may hold the key with those who do: the smallest limit of all counts. */
static bool fits(const struct store *store, const struct row *row)
{
	int32_t limit = row->entry.concurrency;
	int32_t holders = 0;

	for (size_t i = 0; i < store->count; i++) {
		const struct row *other = &store->rows[i];

		if (!other->gone && is_freeze(other))
			return false;
		if (!is_holding(other))
			continue;
		holders++;
		if (other->entry.concurrency && (!limit || other->entry.concurrency < limit))
			limit = other->entry.concurrency;
	}
	return !limit || holders < limit;
}

/* Of the rows of a key, in a transaction: strikes who is gone, lets in who is next. */
static enum spk_lock_status settle(struct store *store)
{
	enum spk_lock_status status = SPK_LOCK_OK;
	int64_t now = wall_clock();

	for (size_t i = 0; i < store->count; i++)
		if (!is_waiting(&store->rows[i]))
			store->rows[i].gone |= is_over(store, &store->rows[i], now);
	for (size_t i = 0; i < store->count && status == SPK_LOCK_OK; i++) {
		struct row *row = &store->rows[i];

		if (!is_waiting(row))
			continue;
		if (is_over(store, row, now)) {
			row->gone = true;
			continue;
		}
		if (!fits(store, row))
			break;
		row->granted = true;
		row->entry.created_ns = now;
		status = database_number(store, &row->entry.fence);
	}
	return status;
}

static enum spk_lock_status write_grant(struct store *store, const struct row *row)
{
	sqlite3_stmt *grant = database_statement(store, GRANT);

	sqlite3_bind_int64(grant, 1, (int64_t)row->entry.fence);
	sqlite3_bind_int64(grant, 2, row->entry.created_ns);
	sqlite3_bind_text(grant, 3, row->entry.key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(grant, 4, (int64_t)row->number);
	return database_do(store, GRANT);
}

static enum spk_lock_status write_end(struct store *store, const struct row *row)
{
	sqlite3_stmt *delete = database_statement(store, DELETE);

	sqlite3_bind_text(delete, 1, row->entry.key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(delete, 2, (int64_t)row->number);
	return database_do(store, DELETE);
}

static enum spk_lock_status write_new(struct store *store, const struct row *row)
{
	const struct spk_lock_entry *entry = &row->entry;
	sqlite3_stmt *insert = database_statement(store, INSERT);

	sqlite3_bind_int64(insert, 1, (int64_t)row->number);
	sqlite3_bind_text(insert, 2, entry->id, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 3, row->run, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 4, entry->owner, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 5, entry->cookbook, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 6, entry->reason, -1, SQLITE_STATIC);
	sqlite3_bind_int64(insert, 7, entry->created_ns);
	sqlite3_bind_int64(insert, 8, entry->ttl_ns);
	sqlite3_bind_int(insert, 9, entry->concurrency);
	sqlite3_bind_int64(insert, 10, (int64_t)entry->fence);
	sqlite3_bind_text(insert, 11, entry->key, -1, SQLITE_STATIC);
	return database_do(store, INSERT);
}

/* Writes what settle() and its caller have decided. `fresh` is not in the table yet; NULL: none. */
static enum spk_lock_status write_rows(struct store *store, const struct row *fresh)
{
	enum spk_lock_status status = SPK_LOCK_OK;

	for (size_t i = 0; i < store->count && status == SPK_LOCK_OK; i++) {
		const struct row *row = &store->rows[i];

		if (row == fresh)
			status = write_new(store, row);
		else if (row->gone)
			status = write_end(store, row);
		else if (row->granted)
			status = write_grant(store, row);
	}
	return status;
}

/* After the commit: those who were let in learn of it, and so does who is the next now. */
static void wake_rows(const struct store *store)
{
	bool next_is_awake = false;

	for (size_t i = 0; i < store->count; i++) {
		const struct row *row = &store->rows[i];

		if (row->gone && row->run && !run_is_alive(store, row->run))
			run_forget(store, row->run);
		if (row->gone || !row->run || strcmp(row->run, store->own_run) == 0)
			continue;
		if (row->granted || (is_waiting(row) && !next_is_awake))
			run_wake(store, row->run);
		if (is_waiting(row))
			next_is_awake = true;
	}
}

/* Ends the transaction over the rows, and tells those whom it concerns. */
static enum spk_lock_status finish(struct store *store, enum spk_lock_status status,
				   const struct row *fresh)
{
	if (status == SPK_LOCK_OK)
		status = settle(store);
	if (status == SPK_LOCK_OK)
		status = write_rows(store, fresh);
	status = database_end(store, status);
	if (status == SPK_LOCK_OK)
		wake_rows(store);
	return status;
}

static int open_all(struct store *store, struct spk_reason_buffer *reason)
{
	return runs_open(store, reason) < 0 ? -1 : database_open(store, reason);
}

/* Begins a transaction over the rows of a key. */
static enum spk_lock_status start(struct store *store, const char *key, bool write,
				  struct spk_lock_call *call)
{
	enum spk_lock_status status;

	store->call = call;
	call->reason.text[0] = '\0';
	forget_rows(store);
	if (store->absent && open_all(store, &call->reason) < 0)
		return SPK_LOCK_REFUSED;
	store->absent = false;
	status = database_begin(store, write);
	return status == SPK_LOCK_OK ? read_rows(store, key) : status;
}

/* ---- what is ours ---- */

static bool note_held(struct store *store, const char *key, const char *id)
{
	struct held *held = reallocarray(store->held, store->held_count + 1, sizeof(*held));
	bool failed = !held;

	if (!held)
		return false;
	store->held = held;
	held[store->held_count].key = copy(key, &failed);
	held[store->held_count].id = copy(id, &failed);
	store->held_count += !failed;
	return !failed;
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
		row->entry.place = is_waiting(row) ? ++place : 0;
	}
}

/* Shows who is in the way of `own`: those who hold, freezes, and who stands in line before it. */
static void show_others(const struct store *store, const struct row *own, spk_lock_visitor *visitor,
			void *data)
{
	for (size_t i = 0; visitor && i < store->count; i++) {
		const struct row *row = &store->rows[i];

		if (!row->gone && (!is_waiting(row) || row->number < own->number))
			visitor(data, &row->entry);
	}
}

/* A number for who is in the way of `own`; another one when they have changed. */
static uint64_t sum_of_others(const struct store *store, const struct row *own)
{
	uint64_t sum = 0xcbf29ce484222325U;

	for (size_t i = 0; i < store->count; i++) {
		const struct row *row = &store->rows[i];

		if (!row->gone && row != own && (!is_waiting(row) || row->number < own->number))
			sum = (sum ^ (row->number * 2 + is_holding(row))) * 0x100000001b3U;
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
	forget_rows(store);
	while (store->held_count > 0)
		forget_held(store, store->held[0].id);
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
	if (!store->directory || asprintf(&store->file, "%s/locks.db", store->directory) < 0)
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
		if (store->absent || open_all(store, reason) == 0)
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
	enum spk_lock_status status = start(store, entry->key, true, call);
	struct row *own = status == SPK_LOCK_OK ? find_row(store, entry->id) : NULL;
	bool fresh = status == SPK_LOCK_OK && !own;
	bool failed = false;

	if (fresh) {
		own = add_row(store);
		if (own) {
			own->entry = *entry;
			own->entry.fence = 0;
			own->entry.reason = NULL;
			own->entry.created_ns = wall_clock();
			own->run = copy(store->own_run, &failed);
			status = database_number(store, &own->number);
		}
		if (!own || failed || !note_held(store, entry->key, entry->id))
			status = no_memory(store);
	}
	status = finish(store, status, fresh ? own : NULL);
	if (status != SPK_LOCK_OK) {
		if (fresh)
			forget_held(store, entry->id);
		return status;
	}
	entry->created_ns = own->entry.created_ns;
	if (is_holding(own))
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
	int64_t now = wall_clock();
	bool any = false;

	for (size_t i = 0; i < store->count; i++) {
		struct row *row = &store->rows[i];

		if (is_waiting(row) && row->number >= own->number)
			continue;
		row->gone = is_over(store, row, now);
		any |= row->gone;
	}
	return any || (own->entry.place == 1 && fits(store, own));
}

/* Listens for what may let `own` in: for the first in line the holders' end, else the next before.
 */
static bool watch_others(struct store *store, const struct row *own, int watch)
{
	size_t watched = 0;
	bool all = true;

	for (const struct row *row = own; row-- > store->rows;) {
		if (is_freeze(row) || (own->entry.place == 1 && !is_holding(row)))
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
	int64_t now = wall_clock();

	for (size_t i = 0; i < store->count; i++) {
		const struct spk_lock_entry *entry = &store->rows[i].entry;
		int64_t end;

		if (!is_freeze(&store->rows[i]) ||
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

	*status = start(store, entry->key, true, call);
	own = *status == SPK_LOCK_OK ? find_row(store, entry->id) : NULL;
	if (own)
		strike(store, own);
	*status = finish(store, *status, NULL);
	number_places(store);
	return *status == SPK_LOCK_OK ? find_row(store, entry->id) : NULL;
}

/* One look at the key. WAITING: not yet, and *ret_until is when to look again in any case. */
static enum spk_lock_status look(struct store *store, struct spk_lock_entry *entry, int watch,
				 int64_t *ret_until, struct spk_lock_call *call)
{
	enum spk_lock_status status = database_end(store, start(store, entry->key, false, call));
	struct row *own = status == SPK_LOCK_OK ? find_row(store, entry->id) : NULL;
	bool all;

	if (own && is_waiting(own)) {
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
	return is_holding(own) ? answer_held(own, entry) : SPK_LOCK_WAITING;
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
		own = find_row(store, entry->id);
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
	enum spk_lock_status status = start(store, key, true, call);
	struct row *row = status == SPK_LOCK_OK ? find_row(store, id) : NULL;

	if (row)
		row->gone = true;
	status = finish(store, status, NULL);
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
		status = start(store, store->held[i].key, false, call);
		if (status == SPK_LOCK_OK && !find_row(store, store->held[i].id)) {
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
	int64_t now = wall_clock();

	forget_rows(store);
	if (!store->absent)
		status = database_end(store, start(store, key, false, call));
	if (status != SPK_LOCK_OK)
		return status;
	for (size_t i = 0; i < store->count; i++)
		store->rows[i].gone = is_over(store, &store->rows[i], now);
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
	enum spk_lock_status status = start(store, entry->key, true, call);
	struct row *row = status == SPK_LOCK_OK ? add_row(store) : NULL;

	if (status == SPK_LOCK_OK && !row)
		status = no_memory(store);
	if (row) {
		row->entry = *entry;
		row->entry.concurrency = 0;
		row->entry.fence = 0;
		row->entry.created_ns = entry->created_ns = wall_clock();
		status = database_number(store, &row->number);
	}
	return finish(store, status, row);
}

static void close_store(void *data, struct spk_lock_call *call)
{
	struct store *store = data;

	while (store->held_count > 0) {
		struct spk_lock_entry entry = {.key = store->held[0].key, .id = store->held[0].id};

		if (leave(store, &entry, call) != SPK_LOCK_OK)
			break;
	}
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
};
