/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a key, read and changed in one transaction, and the rules by which they are let
 * in. */
#ifndef SPICERACK_SQLITE_ROWS_H
#define SPICERACK_SQLITE_ROWS_H

#include "store.h"

struct row {
	struct spk_lock_entry entry;
	uint64_t number;
	char *run;          /* NULL: a freeze */
	bool gone, granted; /* in this transaction */
	char *texts[5];     /* what the entry points to */
};

/* Now, of CLOCK_REALTIME. */
int64_t rows_now(void);

/* Says so. */
enum spk_lock_status rows_no_memory(struct store *store);

/* Opens what was not there when the store was opened. */
int rows_open_all(struct store *store, struct spk_reason_buffer *reason);

/* Begins a transaction over the rows of a key, or of all with NULL, and reads them. */
enum spk_lock_status rows_start(struct store *store, const char *key, bool write,
				struct spk_lock_call *call);

/*
 * Settles the key, writes what has changed, commits, and wakes those whom it concerns; after a
 * failure undoes it all. `fresh` is a row that was added and is not in the table yet; NULL: none.
 */
enum spk_lock_status rows_finish(struct store *store, enum spk_lock_status status,
				 const struct row *fresh);

void rows_forget(struct store *store);
/* A new row, the last one; NULL without memory. It moves the others. */
struct row *rows_add(struct store *store);
/* A copy, NULL of NULL; *failed is set without memory. */
char *rows_copy(const void *text, bool *failed);
/* The row of that id that is not gone, or NULL. */
struct row *rows_find(struct store *store, const char *id);

bool row_is_freeze(const struct row *row);
bool row_is_holding(const struct row *row);
bool row_is_waiting(const struct row *row);
/* Whether it is there in the table only: its run is dead, or its time is over. */
bool row_is_over(const struct store *store, const struct row *row, int64_t now);
/* Whether the waiting row may hold the key with those who do: the smallest limit of all counts. */
bool row_fits(const struct store *store, const struct row *row);

#endif
