/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <linux/magic.h>
#include <time.h>
#include <unistd.h>

#define APPLICATION_ID 0x53504b4c /* "SPKL", where SQLite and file(1) look for it */
#define VERSION 1
/*
 * Frames of the write-ahead log, a page each, before it is written back, for which the disk is
 * waited for: some 80 locks. The first who opens the store reads all of it, so it is not longer.
 */
#define CHECKPOINT "256"
#define PAGE_SIZE "2048"
/*
 * Commits are not written through to the disk each: after a loss of power nobody holds
 * anything. But the last numbers may be lost with it, so that at the first use after a boot they
 * leap over more than there can have been.
 */
#define BOOT_LEAP 1000000
#define NAP_MAX_NS 5000000

static const char schema[] =
	"PRAGMA application_id=0x53504b4c;"
	"CREATE TABLE entry(key TEXT NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, run TEXT,"
	" owner TEXT NOT NULL, cookbook TEXT, reason TEXT, created INTEGER NOT NULL,"
	" ttl INTEGER NOT NULL, concurrency INTEGER NOT NULL, fence INTEGER NOT NULL,"
	" PRIMARY KEY(key, number)) WITHOUT ROWID;"
	"CREATE TABLE counter(number INTEGER NOT NULL, boot TEXT NOT NULL);"
	"INSERT INTO counter VALUES(0, '');"
	"PRAGMA user_version=1;";

#define COLUMNS "number, id, run, owner, cookbook, reason, created, ttl, concurrency, fence, key"

static const char *const texts[STATEMENT_COUNT] = {
	[BEGIN_READ] = "BEGIN",
	[BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[NEXT_NUMBER] = "UPDATE counter SET number = number + 1",
	[NUMBER] = "SELECT number FROM counter",
	[INSERT] = "INSERT INTO entry(" COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[GRANT] = "UPDATE entry SET fence = ?, created = ? WHERE key = ? AND number = ?",
	[DELETE] = "DELETE FROM entry WHERE key = ? AND number = ?",
	[SELECT_KEY] = "SELECT " COLUMNS " FROM entry WHERE key = ? ORDER BY number",
	[SELECT_ALL] = "SELECT " COLUMNS " FROM entry ORDER BY key, number",
};

int64_t store_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void store_reason(struct spk_reason_buffer *reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason->text, sizeof(reason->text), format, args);
	va_end(args);
}

/* ---- answers ---- */

static const char *explain(int code)
{
	switch (code & 0xff) {
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return "it is damaged, or no store of locks: when no cookbook runs, move it away "
		       "and a new one is made";
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

static int fail(struct store *store, int code, struct spk_reason_buffer *reason)
{
	int error = store->db ? sqlite3_system_errno(store->db) : 0;
	bool of_system = error &&
			 ((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_IOERR);

	store_reason(reason, "'%s': %s%s%s", store->file, explain(code), of_system ? ": " : "",
		     of_system ? strerrordesc_np(error) : "");
	return -1;
}

static bool is_cancelled(const struct spk_lock_call *call)
{
	struct pollfd cancel = {.fd = call->cancel_fd, .events = POLLIN};

	return call->cancel_fd >= 0 && poll(&cancel, 1, 0) > 0;
}

enum spk_lock_status database_failed(struct store *store, int code)
{
	struct spk_lock_call *call = store->call;

	if ((code & 0xff) != SQLITE_BUSY && (code & 0xff) != SQLITE_LOCKED &&
	    (code & 0xff) != SQLITE_PROTOCOL) {
		fail(store, code, &call->reason);
		return SPK_LOCK_REFUSED;
	}
	if (is_cancelled(call))
		return SPK_LOCK_CANCELLED;
	store_reason(&call->reason, "'%s': another process has it locked, perhaps a stopped one",
		     store->file);
	return SPK_LOCK_TIMEOUT;
}

/* Somebody else is writing: naps, each a little longer, until the call must return. */
static int on_busy(void *data, int count)
{
	const struct store *store = data;
	struct timespec nap = {.tv_nsec = 100000L * (count < 50 ? count + 1 : 50)};
	struct pollfd cancel = {.fd = -1, .events = POLLIN};
	int64_t deadline = INT64_MAX;

	if (store->call) {
		cancel.fd = store->call->cancel_fd;
		deadline = store->call->deadline_ns;
	}
	if (store_now() >= deadline)
		return 0;
	/* Not all in step. */
	nap.tv_nsec -= store_now() % (nap.tv_nsec / 2 + 1);
	return ppoll(&cancel, 1, &nap, NULL) <= 0;
}

/* ---- statements ---- */

sqlite3_stmt *database_statement(struct store *store, enum statement statement)
{
	sqlite3_stmt **prepared = &store->statements[statement];

	if (!*prepared)
		sqlite3_prepare_v3(store->db, texts[statement], -1, SQLITE_PREPARE_PERSISTENT,
				   prepared, NULL);
	else
		sqlite3_reset(*prepared);
	/* NULL where that failed: SQLite's calls take it, and say SQLITE_MISUSE. */
	return *prepared;
}

enum spk_lock_status database_do(struct store *store, enum statement statement)
{
	sqlite3_stmt *prepared = database_statement(store, statement);
	int code;

	if (!prepared)
		return database_failed(store, sqlite3_extended_errcode(store->db));
	while ((code = sqlite3_step(prepared)) == SQLITE_ROW)
		;
	sqlite3_reset(prepared);
	return code == SQLITE_DONE ? SPK_LOCK_OK : database_failed(store, code);
}

enum spk_lock_status database_begin(struct store *store, bool write)
{
	return database_do(store, write ? BEGIN_WRITE : BEGIN_READ);
}

enum spk_lock_status database_end(struct store *store, enum spk_lock_status status)
{
	sqlite3_stmt *rollback;

	if (status == SPK_LOCK_OK)
		status = database_do(store, COMMIT);
	if (status == SPK_LOCK_OK || !store->db || sqlite3_get_autocommit(store->db))
		return status;
	rollback = database_statement(store, ROLLBACK);
	sqlite3_step(rollback);
	sqlite3_reset(rollback);
	return status;
}

/* Not by RETURNING, for which SQLite makes a table of its own each time. */
enum spk_lock_status database_number(struct store *store, uint64_t *ret_number)
{
	enum spk_lock_status status = database_do(store, NEXT_NUMBER);
	sqlite3_stmt *number;
	int code;

	if (status != SPK_LOCK_OK)
		return status;
	number = database_statement(store, NUMBER);
	code = sqlite3_step(number);
	if (code == SQLITE_ROW)
		*ret_number = (uint64_t)sqlite3_column_int64(number, 0);
	else if (code == SQLITE_DONE)
		code = SQLITE_CORRUPT; /* the one row is gone */
	sqlite3_reset(number);
	return code == SQLITE_ROW ? SPK_LOCK_OK : database_failed(store, code);
}

/* ---- opening ---- */

static int run_texts(struct store *store, const char *sql, struct spk_reason_buffer *reason)
{
	int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : fail(store, sqlite3_extended_errcode(store->db), reason);
}

int database_mode(const struct store *store, mode_t *ret_mode, struct spk_reason_buffer *reason)
{
	struct stat st;

	if (stat(store->directory, &st) < 0) {
		store_reason(reason, "cannot examine '%s': %s", store->directory,
			     strerrordesc_np(errno));
		return -1;
	}
	*ret_mode = st.st_mode & S_IWGRP ? 0660 : 0600;
	return 0;
}

/* With what SQLite leaves beside it when it could not close it in order. */
static void remove_new(const char *path)
{
	static const char *const beside[] = DATABASE_BESIDE;
	char name[4096 + 16];

	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, beside[i]);
		unlink(name);
	}
	unlink(path);
}

/*
 * Makes the database under another name and gives it its own once it is whole, so that nobody
 * sees half of it, and nothing is overwritten.
 */
static int make(struct store *store, struct spk_reason_buffer *reason)
{
	/* A sweep leaves it alone while it is locked, there where SQLite locks nothing. */
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	char path[4096];
	mode_t mode;
	int code, fd, rc = -1;

	if (database_mode(store, &mode, reason) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/" DATABASE_NEW "%s-%ld", store->directory, store->own_run,
		 (long)getpid());
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) < 0 || fchmod(fd, mode) < 0) {
		store_reason(reason, "cannot make '%s': %s", path, strerrordesc_np(errno));
		goto out;
	}
	code = sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK) {
		fail(store, code, reason);
		goto out;
	}
	rc = run_texts(store, "PRAGMA page_size=" PAGE_SIZE "; PRAGMA journal_mode=WAL; BEGIN;",
		       reason);
	if (rc == 0)
		rc = run_texts(store, schema, reason);
	if (rc == 0)
		rc = run_texts(store, "COMMIT;", reason);
out:
	if (sqlite3_close(store->db) != SQLITE_OK)
		rc = -1;
	store->db = NULL;
	if (rc == 0 && link(path, store->file) < 0 && errno != EEXIST) {
		store_reason(reason, "cannot make '%s': %s", store->file, strerrordesc_np(errno));
		rc = -1;
	}
	if (fd >= 0) {
		remove_new(path);
		close(fd);
	}
	return rc;
}

static int64_t read_number(struct store *store, const char *sql, int *ret_code)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;

	*ret_code = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
	if (*ret_code == SQLITE_OK)
		*ret_code = sqlite3_step(statement);
	if (*ret_code == SQLITE_ROW) {
		number = sqlite3_column_int64(statement, 0);
		*ret_code = SQLITE_OK;
	}
	sqlite3_finalize(statement);
	return number;
}

static int check_version(struct store *store, struct spk_reason_buffer *reason)
{
	int code;
	int64_t application = read_number(store, "PRAGMA application_id", &code);
	int64_t version = code == SQLITE_OK ? read_number(store, "PRAGMA user_version", &code) : -1;

	if (code != SQLITE_OK)
		return fail(store, sqlite3_extended_errcode(store->db), reason);
	if (application == APPLICATION_ID && version == VERSION)
		return 0;
	store_reason(reason, "'%s': it %s", store->file,
		     application == APPLICATION_ID && version > VERSION
			     ? "was made by a later version of spicerack"
			     : "is no store of locks");
	return -1;
}

static int read_boot(char *out, size_t size, struct spk_reason_buffer *reason)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	if (got <= 0) {
		store_reason(reason, "cannot read /proc/sys/kernel/random/boot_id: %s",
			     strerrordesc_np(errno));
		return -1;
	}
	out[got] = '\0';
	out[strspn(out, "0123456789abcdef-")] = '\0';
	return 0;
}

static int read_counter(struct store *store, const char *boot, bool *ret_same_boot,
			struct spk_reason_buffer *reason)
{
	char *sql = sqlite3_mprintf("SELECT boot = %Q FROM counter", boot);
	int code;

	*ret_same_boot = read_number(store, sql ? sql : "", &code) == 1;
	sqlite3_free(sql);
	if (code == SQLITE_OK || code == SQLITE_DONE)
		return 0;
	return fail(store, sqlite3_extended_errcode(store->db), reason);
}

/* At the first use after a boot: see BOOT_LEAP. */
static int leap(struct store *store, const char *boot, struct spk_reason_buffer *reason)
{
	char *sql = sqlite3_mprintf(
		"PRAGMA synchronous=FULL;"
		"UPDATE counter SET number = number + %d, boot = %Q WHERE boot != %Q;"
		"PRAGMA synchronous=NORMAL;",
		BOOT_LEAP, boot, boot);
	int rc = run_texts(store, sql ? sql : "", reason);

	sqlite3_free(sql);
	return rc;
}

/* Locks of the kernel and the shared memory of the database do not reach over a network. */
static int check_place(const struct store *store, struct spk_reason_buffer *reason)
{
	static const unsigned long remote[] = {NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC, SMB2_SUPER_MAGIC,
					       CIFS_SUPER_MAGIC, AFS_SUPER_MAGIC, CEPH_SUPER_MAGIC};
	struct statfs fs;

	if (statfs(store->directory, &fs) < 0) {
		store_reason(reason, "cannot examine '%s': %s", store->directory,
			     strerrordesc_np(errno));
		return -1;
	}
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
		if ((unsigned long)fs.f_type != remote[i])
			continue;
		store_reason(reason,
			     "'%s' is on a network file system: set locks.directory to a local one",
			     store->directory);
		return -1;
	}
	return 0;
}

static int open_file(struct store *store, struct spk_reason_buffer *reason)
{
	struct stat st;
	int code;

	for (int tries = 0; lstat(store->file, &st) < 0; tries++) {
		if (errno != ENOENT || tries > 0) {
			store_reason(reason, "cannot examine '%s': %s", store->file,
				     strerrordesc_np(errno));
			return -1;
		}
		if (check_place(store, reason) < 0 || make(store, reason) < 0)
			return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		store_reason(reason, "'%s': it is not a regular file", store->file);
		return -1;
	}
	store->device = st.st_dev;
	store->inode = st.st_ino;
	code = sqlite3_open_v2(store->file, &store->db,
			       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
			       NULL);
	return code == SQLITE_OK ? 0 : fail(store, sqlite3_extended_errcode(store->db), reason);
}

int database_open(struct store *store, struct spk_reason_buffer *reason)
{
	char boot[64];
	bool same;

	filelock_insist();
	if (open_file(store, reason) < 0)
		return -1;
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_handler(store->db, on_busy, store);
	/* The file may be another's: nothing in its schema is to be believed. */
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	/* The last to close would write all back to the disk, and wait for that. */
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	/* All is read in one transaction, which is less than half of the work of three. */
	if (read_boot(boot, sizeof(boot), reason) < 0 ||
	    run_texts(store,
		      "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=" CHECKPOINT "; BEGIN;",
		      reason) < 0 ||
	    check_version(store, reason) < 0 || read_counter(store, boot, &same, reason) < 0 ||
	    run_texts(store, "COMMIT;", reason) < 0)
		return -1;
	return same ? 0 : leap(store, boot, reason);
}

bool database_exists(const struct store *store)
{
	struct stat st;

	return lstat(store->file, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

void database_close(struct store *store)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(store->statements[i]);
	sqlite3_close(store->db);
}

bool database_is_in_place(const struct store *store)
{
	struct stat st;

	return stat(store->file, &st) == 0 && st.st_dev == store->device &&
	       st.st_ino == store->inode;
}
