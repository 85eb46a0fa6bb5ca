/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this driver share: database.c is the file of the locks and its transactions,
 * filelock.c gives back the locks of that file, runs.c tells who is alive and wakes who
 * waits, rows.c is the rules (rows.h), sweep.c removes what was left behind, lock_sqlite.c is the
 * calls.
 */
#ifndef SPICERACK_SQLITE_STORE_H
#define SPICERACK_SQLITE_STORE_H

#include <sqlite3.h>
#include <sys/types.h>

#include <spicerack/plugin.h>

#define RUN_NAME_LENGTH 36 /* a UUID */
#define DATABASE_NAME "locks.db"
#define DATABASE_NEW DATABASE_NAME ".new-" /* what a database is called until it is whole */

/* Ends of the names of files that SQLite has beside a database. */
#define DATABASE_BESIDE                                                                            \
	{                                                                                          \
		"-wal", "-shm", "-journal"                                                         \
	}

enum statement {
	BEGIN_READ,
	BEGIN_WRITE,
	COMMIT,
	ROLLBACK,
	NEXT_NUMBER,
	NUMBER,
	INSERT,
	GRANT,
	DELETE,
	SELECT_KEY,
	SELECT_ALL,
	STATEMENT_COUNT
};

struct row; /* of rows.h */

struct store {
	char *directory, *file;            /* of the database */
	char own_run[RUN_NAME_LENGTH + 1]; /* "": it takes no locks */
	int runs_fd;                       /* the directory of the run files */
	bool absent; /* there is no database, and a store that takes no locks has not made one */
	sqlite3 *db;
	dev_t device; /* of the database when it was opened */
	ino_t inode;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	struct spk_lock_call *call; /* the one under way */
	struct row *rows;           /* of the key in hand */
	size_t count, capacity;
	struct held *held; /* what this store has entered and not left */
	size_t held_count;
	uint64_t shown;   /* which entries the visitor of wait() saw last */
	int64_t check_ns; /* when renew() looks next */
};

int64_t store_now(void);

__attribute__((__format__(__printf__, 2, 3))) void store_reason(struct spk_reason_buffer *reason,
								const char *format, ...);

/* ---- database.c ---- */

/* Opens the database, and makes it where there is none. -1 and a reason. */
int database_open(struct store *store, struct spk_reason_buffer *reason);
/* The mode of files in the directory: what that lets its group do, they let, too. -1 and a reason.
 */
int database_mode(const struct store *store, mode_t *ret_mode, struct spk_reason_buffer *reason);
/* Whether there is one, or something in its place. */
bool database_exists(const struct store *store);
void database_close(struct store *store);

/* The statement, ready to bind and step. */
sqlite3_stmt *database_statement(struct store *store, enum statement statement);
/* Steps a statement that yields no row. */
enum spk_lock_status database_do(struct store *store, enum statement statement);
/* What an answer of SQLite means; the reason names the file. */
enum spk_lock_status database_failed(struct store *store, int code);

/* A transaction. After a failure of anything in it, database_end() undoes it and returns that. */
enum spk_lock_status database_begin(struct store *store, bool write);
enum spk_lock_status database_end(struct store *store, enum spk_lock_status status);

/* Whether the file that is open is still the one at its place. */
bool database_is_in_place(const struct store *store);

/* The next of the numbers by which entries stand in line and holders are told apart. */
enum spk_lock_status database_number(struct store *store, uint64_t *ret_number);

/* ---- filelock.c ---- */

/* From here on SQLite gives its locks back although the kernel refuses that at first. */
void filelock_insist(void);

/* ---- sweep.c ---- */

/*
 * Once in a while: removes what dead runs have left, entries and files, and databases that were
 * never finished. For a store that takes locks. What cannot be removed now stays.
 */
void sweep(struct store *store, struct spk_lock_call *call);

/* ---- runs.c ---- */

int runs_open(struct store *store, struct spk_reason_buffer *reason);
/* Whether the run file of that name may count as one: nothing but a UUID. */
bool run_is_name(const char *name);
/* Whether a process of that run is left, as far as can be known. */
bool run_is_alive(const struct store *store, const char *name);
/* Removes what a dead run has left. */
void run_forget(const struct store *store, const char *name);
/* Wakes the run where it waits. */
void run_wake(const struct store *store, const char *name);

/* What a waiting run listens to: an inotify descriptor, -1 where the system has none left. */
int watch_open(void);
/* Has it readable when somebody wakes the run, or with `death` when its last process is gone.
 * False: it cannot be watched. */
bool watch_add(const struct store *store, int watch, const char *name, bool death);
/* Waits for one of them, the cancel descriptor or a time. OK: look again. */
enum spk_lock_status watch_wait(int watch, const struct spk_lock_call *call, int64_t until_ns);

#endif
