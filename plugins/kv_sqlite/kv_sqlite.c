/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver that keeps keys in a file of this machine, an SQLite database: kv.db in its directory.
 * A write is on the disk when it returns. The revisions are numbers of one counter, so that a key
 * that was deleted and made again has another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/file.h"
#include "../base/memory.h"

#define DATABASE_NAME "kv.db"
#define APPLICATION_ID 0x53504b56 /* "SPKV", where SQLite and file(1) look for it */
#define VERSION 1
#define CHANGES_MAX 1000
#define NAP_NS 5000000

SPK_API extern const struct spk_kv_driver spk_driver;

static const char schema[] =
	"PRAGMA application_id=0x53504b56;"
	"CREATE TABLE item(key TEXT PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE counter(number INTEGER NOT NULL);"
	"INSERT INTO counter VALUES(0);"
	"PRAGMA user_version=1;";

enum statement { GET, LIST, COUNT, PUT, DELETE, STATEMENT_COUNT };

static const char *const texts[STATEMENT_COUNT] = {
	[GET] = "SELECT key, value, revision FROM item WHERE key = ?1",
	[LIST] = "SELECT key, value, revision FROM item WHERE key > ?1 AND key < ?2 ORDER BY key",
	[COUNT] = "UPDATE counter SET number = number + 1",
	[PUT] = "INSERT OR REPLACE INTO item SELECT ?1, ?2, number FROM counter",
	[DELETE] = "DELETE FROM item WHERE key = ?1",
};

struct store {
	char *file;
	bool read_only;
	sqlite3 *db; /* NULL: it was not there when it was last looked for */
	sqlite3_stmt *statements[STATEMENT_COUNT];
	struct spk_kv_call *call; /* the one under way */
};

/* ---- answers ---- */

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static bool is_cancelled(const struct spk_kv_call *call)
{
	struct pollfd cancel = {.fd = call->cancel_fd, .events = POLLIN};

	return call->cancel_fd >= 0 && poll(&cancel, 1, 0) > 0;
}

static const char *explain(int code)
{
	switch (code & 0xff) {
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return "it is damaged, or no store of keys";
	case SQLITE_FULL:
		return "the disk is full";
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return "it cannot be written to";
	case SQLITE_CANTOPEN:
		return "cannot open it, or the files beside it";
	default:
		return sqlite3_errstr(code);
	}
}

/* What a failure of SQLite means; the reason names the file. */
static enum spk_kv_status failed(struct store *store, int code)
{
	struct spk_kv_call *call = store->call;
	bool busy = (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;

	if (busy && is_cancelled(call))
		return SPK_KV_CANCELLED;
	reason_set(&call->reason, "'%s': %s", file_shown(store->file),
		   busy ? "others write to it all the time" : explain(code));
	return busy ? SPK_KV_TIMEOUT : SPK_KV_REFUSED;
}

/* Waits for the other writers, until the deadline of the call. */
static int on_busy(void *data, int tries)
{
	const struct store *store = data;
	struct timespec nap = {.tv_nsec = NAP_NS};

	if (is_cancelled(store->call) || now() >= store->call->deadline_ns)
		return 0;
	nanosleep(&nap, NULL);
	return 1;
}

/* ---- the file ---- */

static enum spk_kv_status run_text(struct store *store, const char *sql)
{
	int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? SPK_KV_OK : failed(store, sqlite3_extended_errcode(store->db));
}

static enum spk_kv_status read_number(struct store *store, const char *sql, int64_t *ret)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return code == SQLITE_ROW ? SPK_KV_OK : failed(store, code);
}

/* Makes what is in the file, unless somebody else did meanwhile. */
static enum spk_kv_status make_tables(struct store *store)
{
	enum spk_kv_status status = run_text(store, "BEGIN IMMEDIATE");
	int64_t version = 0;

	if (status == SPK_KV_OK)
		status = read_number(store, "PRAGMA user_version", &version);
	if (status == SPK_KV_OK && version == 0)
		status = run_text(store, schema);
	if (status == SPK_KV_OK)
		status = run_text(store, "COMMIT");
	if (status != SPK_KV_OK)
		(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

static enum spk_kv_status check_tables(struct store *store, bool make)
{
	int64_t application = 0, version = 0, pages = 0;
	enum spk_kv_status status = read_number(store, "PRAGMA page_count", &pages);

	/* As whoever is making it has left it, or is about to. */
	if (status == SPK_KV_OK && pages == 0)
		return make ? make_tables(store) : SPK_KV_MISSING;
	if (status == SPK_KV_OK)
		status = read_number(store, "PRAGMA application_id", &application);
	if (status == SPK_KV_OK)
		status = read_number(store, "PRAGMA user_version", &version);
	if (status != SPK_KV_OK || (application == APPLICATION_ID && version == VERSION))
		return status;
	reason_set(&store->call->reason, "'%s': it %s", file_shown(store->file),
		   application == APPLICATION_ID ? "was made by a later version of spicerack"
						 : "is no store of keys");
	return SPK_KV_REFUSED;
}

static enum spk_kv_status refuse_file(struct store *store, const char *what, int error)
{
	reason_set(&store->call->reason, "'%s': %s%s%s", file_shown(store->file), what,
		   error ? ": " : "", error ? strerrordesc_np(error) : "");
	return SPK_KV_REFUSED;
}

/* An empty file with the mode that its directory lets its group have. */
static enum spk_kv_status make_file(struct store *store)
{
	char *directory = memory_copy(store->file);
	mode_t mode = 0600;
	struct stat st;
	int fd;

	*strrchr(directory, '/') = '\0';
	if (stat(directory, &st) == 0 && (st.st_mode & S_IWGRP))
		mode = 0660;
	memory_free(directory);
	fd = open(store->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == EEXIST ? SPK_KV_OK : refuse_file(store, "cannot make it", errno);
	if (fchmod(fd, mode) < 0) {
		close(fd);
		return refuse_file(store, "cannot set its mode", errno);
	}
	close(fd);
	return SPK_KV_OK;
}

static void close_file(struct store *store)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(store->statements[i]);
		store->statements[i] = NULL;
	}
	sqlite3_close(store->db);
	store->db = NULL;
}

static enum spk_kv_status open_file(struct store *store, bool make)
{
	int flags = (store->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
		    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	enum spk_kv_status status = SPK_KV_OK;
	struct stat st;

	if (lstat(store->file, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return refuse_file(store, "cannot examine it", errno);
		if (!make)
			return SPK_KV_MISSING;
		status = make_file(store);
	} else if (!S_ISREG(st.st_mode)) {
		return refuse_file(store, "it is not a regular file", 0);
	}
	if (status != SPK_KV_OK)
		return status;
	if (sqlite3_open_v2(store->file, &store->db, flags, NULL) != SQLITE_OK) {
		status = failed(store,
				store->db ? sqlite3_extended_errcode(store->db) : SQLITE_CANTOPEN);
		close_file(store);
		return status;
	}
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_handler(store->db, on_busy, store);
	/* The file may be another's: nothing in its schema is to be believed. */
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	status = run_text(store, "PRAGMA synchronous=FULL");
	if (status == SPK_KV_OK)
		status = check_tables(store, make);
	if (status != SPK_KV_OK)
		close_file(store);
	return status;
}

/* The database is open. MISSING: it is not there, and is not to be made. */
static enum spk_kv_status need(struct store *store, bool make, struct spk_kv_call *call)
{
	store->call = call;
	if (is_cancelled(call))
		return SPK_KV_CANCELLED;
	return store->db ? SPK_KV_OK : open_file(store, make);
}

/* ---- statements ---- */

static sqlite3_stmt *statement_of(struct store *store, enum statement statement)
{
	sqlite3_stmt **at = &store->statements[statement];

	if (!*at && sqlite3_prepare_v3(store->db, texts[statement], -1, SQLITE_PREPARE_PERSISTENT,
				       at, NULL) != SQLITE_OK)
		return NULL;
	sqlite3_reset(*at);
	return *at;
}

/* Runs a statement that yields no row. */
static enum spk_kv_status do_statement(struct store *store, enum statement statement,
				       const struct spk_kv_change *change)
{
	sqlite3_stmt *ready = statement_of(store, statement);
	int code = ready ? SQLITE_OK : sqlite3_extended_errcode(store->db);

	if (code == SQLITE_OK && change)
		code = sqlite3_bind_text(ready, 1, change->key, -1, SQLITE_STATIC);
	if (code == SQLITE_OK && change && change->value)
		code = sqlite3_bind_blob64(ready, 2, change->value, change->length, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(ready);
	if (ready)
		sqlite3_reset(ready);
	return code == SQLITE_DONE ? SPK_KV_OK : failed(store, code);
}

/* The row as an item; false when it is none. */
static bool take_row(sqlite3_stmt *row, struct spk_kv_item *ret)
{
	bool empty = sqlite3_column_type(row, 1) == SQLITE_BLOB && !sqlite3_column_bytes(row, 1);
	/* As text, so that there is a NUL behind it. */
	const void *key = sqlite3_column_text(row, 0), *value = sqlite3_column_text(row, 1);
	int64_t revision = sqlite3_column_int64(row, 2);

	if (!value && empty)
		value = "";
	if (!key || !value || revision <= 0 || *(const char *)key != '/')
		return false;
	*ret = (struct spk_kv_item){.size = sizeof(*ret),
				    .key = key,
				    .value = value,
				    .length = (size_t)sqlite3_column_bytes(row, 1),
				    .revision = (uint64_t)revision};
	return strlen(ret->value) == ret->length;
}

static enum spk_kv_status show_rows(struct store *store, sqlite3_stmt *rows,
				    spk_kv_visitor *visitor, void *data, size_t *ret_count)
{
	int code;

	*ret_count = 0;
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct spk_kv_item item;

		if (!take_row(rows, &item))
			return refuse_file(store, explain(SQLITE_CORRUPT), 0);
		++*ret_count;
		if (!visitor(data, &item))
			return SPK_KV_OK;
	}
	return code == SQLITE_DONE ? SPK_KV_OK : failed(store, code);
}

/* ---- the calls ---- */

static void *open_store(const struct spk_driver_setting *settings, size_t count,
			struct spk_reason_buffer *reason)
{
	const char *directory = NULL;
	bool read_only = false;
	struct text file = {0};
	struct store *store;
	char *real;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(settings[i].name, "directory") == 0)
			directory = settings[i].value;
		if (strcmp(settings[i].name, "read_only") == 0)
			read_only = strcmp(settings[i].value, "true") == 0;
	}
	if (!directory) {
		reason_set(reason, "sqlite: no directory is given");
		return NULL;
	}
	store = memory_new(1, sizeof(*store));
	/* SQLite is told to follow no links, which may well lead to where the directory is. */
	real = realpath(directory, NULL);
	text_printf(&file, "%s/%s", real ? real : directory, DATABASE_NAME);
	memory_free(real);
	store->file = file.bytes;
	store->read_only = read_only;
	return store;
}

static void close_store(void *data)
{
	struct store *store = data;

	close_file(store);
	memory_free(store->file);
	memory_free(store);
}

static enum spk_kv_status get(void *data, const char *key, spk_kv_visitor *visitor,
			      void *visitor_data, struct spk_kv_call *call)
{
	struct store *store = data;
	enum spk_kv_status status = need(store, false, call);
	sqlite3_stmt *rows;
	size_t count;

	if (status != SPK_KV_OK)
		return status;
	rows = statement_of(store, GET);
	if (!rows || sqlite3_bind_text(rows, 1, key, -1, SQLITE_STATIC) != SQLITE_OK)
		return failed(store, sqlite3_extended_errcode(store->db));
	status = show_rows(store, rows, visitor, visitor_data, &count);
	sqlite3_reset(rows);
	return status == SPK_KV_OK && count == 0 ? SPK_KV_MISSING : status;
}

static enum spk_kv_status list(void *data, const char *prefix, spk_kv_visitor *visitor,
			       void *visitor_data, struct spk_kv_call *call)
{
	struct store *store = data;
	enum spk_kv_status status = need(store, false, call);
	struct text from = {0}, end = {0};
	sqlite3_stmt *rows;
	size_t count;

	if (status != SPK_KV_OK)
		return status == SPK_KV_MISSING ? SPK_KV_OK : status;
	text_printf(&from, "%s/", strcmp(prefix, "/") ? prefix : "");
	text_printf(&end, "%s0", strcmp(prefix, "/") ? prefix : ""); /* '0' follows '/' */
	rows = statement_of(store, LIST);
	if (!rows || sqlite3_bind_text(rows, 1, from.bytes, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_text(rows, 2, end.bytes, -1, SQLITE_STATIC) != SQLITE_OK)
		status = failed(store, sqlite3_extended_errcode(store->db));
	else
		status = show_rows(store, rows, visitor, visitor_data, &count);
	if (rows)
		sqlite3_reset(rows);
	text_free(&from);
	text_free(&end);
	return status;
}

static size_t most(void *store)
{
	return CHANGES_MAX;
}

static bool take_revision(void *data, const struct spk_kv_item *item)
{
	*(uint64_t *)data = item->revision;
	return true;
}

static enum spk_kv_status make_change(struct store *store, const struct spk_kv_change *change)
{
	uint64_t revision = 0;
	enum spk_kv_status status = get(store, change->key, take_revision, &revision, store->call);

	if (status != SPK_KV_OK && status != SPK_KV_MISSING)
		return status;
	if (revision != change->revision) {
		reason_set(&store->call->reason, "%.160s: somebody else has written it",
			   change->key);
		return SPK_KV_CONFLICT;
	}
	if (!change->value)
		return do_statement(store, DELETE, change);
	status = do_statement(store, COUNT, NULL);
	return status == SPK_KV_OK ? do_statement(store, PUT, change) : status;
}

static enum spk_kv_status write_changes(void *data, const struct spk_kv_change *changes,
					size_t count, struct spk_kv_call *call)
{
	struct store *store = data;
	enum spk_kv_status status = need(store, true, call);

	if (status == SPK_KV_OK)
		status = run_text(store, "BEGIN IMMEDIATE");
	if (status != SPK_KV_OK)
		return status;
	for (size_t i = 0; i < count && status == SPK_KV_OK; i++)
		status = make_change(store, &changes[i]);
	if (status == SPK_KV_OK)
		status = run_text(store, "COMMIT");
	if (status != SPK_KV_OK)
		(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

const struct spk_kv_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_kv_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "kv",
		   .name = "sqlite"},
	.open = open_store,
	.close = close_store,
	.get = get,
	.list = list,
	.most = most,
	.write = write_changes,
};
