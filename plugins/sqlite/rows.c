/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t rows_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

enum spk_lock_status rows_no_memory(struct store *store)
{
	store_reason(&store->call->reason, "'%s': out of memory", store->file);
	return SPK_LOCK_REFUSED;
}

/* ---- the rows of a key ---- */

void rows_forget(struct store *store)
{
	for (size_t i = 0; i < store->count; i++) {
		free(store->rows[i].run);
		for (size_t j = 0; j < sizeof(store->rows[i].texts) / sizeof(char *); j++)
			free(store->rows[i].texts[j]);
	}
	store->count = 0;
}

struct row *rows_add(struct store *store)
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
char *rows_copy(const void *text, bool *failed)
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
	struct row *row = rows_add(store);
	bool failed = !row;

	if (!row)
		return rows_no_memory(store);
	row->number = (uint64_t)sqlite3_column_int64(from, 0);
	row->run = rows_copy(sqlite3_column_text(from, 2), &failed);
	for (size_t i = 0; i < sizeof(text_columns); i++)
		row->texts[i] = rows_copy(sqlite3_column_text(from, text_columns[i]), &failed);
	if (failed)
		return rows_no_memory(store);
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

	rows_forget(store);
	if (key)
		sqlite3_bind_text(select, 1, key, -1, SQLITE_STATIC);
	while (status == SPK_LOCK_OK && (code = sqlite3_step(select)) == SQLITE_ROW)
		status = read_row(store, select);
	sqlite3_reset(select);
	if (status == SPK_LOCK_OK && code != SQLITE_DONE)
		status = database_failed(store, code);
	return status;
}

struct row *rows_find(struct store *store, const char *id)
{
	for (size_t i = 0; i < store->count; i++)
		if (!store->rows[i].gone && strcmp(store->rows[i].entry.id, id) == 0)
			return &store->rows[i];
	return NULL;
}

/* ---- the rules ---- */

bool row_is_freeze(const struct row *row)
{
	return row->entry.reason != NULL;
}

bool row_is_holding(const struct row *row)
{
	return !row->gone && !row_is_freeze(row) && row->entry.fence != 0;
}

bool row_is_waiting(const struct row *row)
{
	return !row->gone && !row_is_freeze(row) && row->entry.fence == 0;
}

/* Whether it is there in the table only. */
bool row_is_over(const struct store *store, const struct row *row, int64_t now)
{
	int64_t end;

	if (!row_is_freeze(row))
		return !run_is_alive(store, row->run);
	return !__builtin_add_overflow(row->entry.created_ns, row->entry.ttl_ns, &end) &&
	       end <= now;
}

/* Whether the waiting row may hold the key with those who do: the smallest limit of all counts. */
bool row_fits(const struct store *store, const struct row *row)
{
	int32_t limit = row->entry.concurrency;
	int32_t holders = 0;

	for (size_t i = 0; i < store->count; i++) {
		const struct row *other = &store->rows[i];

		if (!other->gone && row_is_freeze(other))
			return false;
		if (!row_is_holding(other))
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
	int64_t now = rows_now();

	for (size_t i = 0; i < store->count; i++)
		if (!row_is_waiting(&store->rows[i]))
			store->rows[i].gone |= row_is_over(store, &store->rows[i], now);
	for (size_t i = 0; i < store->count && status == SPK_LOCK_OK; i++) {
		struct row *row = &store->rows[i];

		if (!row_is_waiting(row))
			continue;
		if (row_is_over(store, row, now)) {
			row->gone = true;
			continue;
		}
		if (!row_fits(store, row))
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
		if (row->granted || (row_is_waiting(row) && !next_is_awake))
			run_wake(store, row->run);
		if (row_is_waiting(row))
			next_is_awake = true;
	}
}

/* Ends the transaction over the rows, and tells those whom it concerns. */
enum spk_lock_status rows_finish(struct store *store, enum spk_lock_status status,
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

int rows_open_all(struct store *store, struct spk_reason_buffer *reason)
{
	return runs_open(store, reason) < 0 ? -1 : database_open(store, reason);
}

/* Begins a transaction over the rows of a key. */
enum spk_lock_status rows_start(struct store *store, const char *key, bool write,
				struct spk_lock_call *call)
{
	enum spk_lock_status status;

	store->call = call;
	call->reason.text[0] = '\0';
	rows_forget(store);
	if (store->absent && rows_open_all(store, &call->reason) < 0)
		return SPK_LOCK_REFUSED;
	store->absent = false;
	status = database_begin(store, write);
	return status == SPK_LOCK_OK ? read_rows(store, key) : status;
}
