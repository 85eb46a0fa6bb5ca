/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Journals of runs, read: what became of each. The files may be of other users, torn, or not ours
 * at all; of each it is said what is wrong with it, and the others are read.
 */
#ifndef SPICERACK_HOST_JOURNALFILE_H
#define SPICERACK_HOST_JOURNALFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <spicerack/value.h>

#include "../../runtime/buf.h"
#include "../../runtime/err.h"
#include "runid.h"

enum run_state {
	RUN_GOES_ON,
	RUN_ENDED,
	RUN_CUT_OFF, /* its supervisor is dead and told no end */
};

/* What became of a run. Texts are hostile; they belong to it. */
struct run_summary {
	char id[RUN_ID_SIZE];
	enum run_state state;
	char *cookbook, *user, *host, *outer, *file, *build_id, *version, *sudo_user, *log;
	char *description;
	char *result;   /* the word of its end; NULL: it has none yet */
	char *rollback; /* likewise; of one that was cut off what is known of it */
	char *stage;    /* that it was cut off in; NULL: not known */
	char *begin_time, *end_time, *settled_time;
	char *settled_by, *settled_reason; /* NULL: nobody did */
	int64_t pid, uid, login_uid, exit_code;
	double duration, total, lock_wait; /* seconds */
	bool dry_run, started;
	bool has_begin, has_end;
	bool owed;                  /* a rollback is, and nobody has settled that */
	size_t broken, broken_line; /* lines that are no events; the first of them */
	struct buf arguments;       /* texts, each with its NUL; only of journal_read() */
	size_t argument_count;
	struct buf inner; /* ids of the runs within it, likewise */
	size_t inner_count;
	struct buf hosts; /* sets of hosts that it ran commands on, likewise */
	size_t hosts_count;
};

void run_summary_free(struct run_summary *summary);

/*
 * The names of all journals in the directory, as ids, the newest first; for free(). A directory
 * that does not exist is empty. -1 with the reason.
 */
MUST_CHECK int journal_list(const char *directory, char (**ret_ids)[RUN_ID_SIZE], size_t *ret_count,
			    struct err *err);

/*
 * What became of a run, from the beginning and the end of its file, as far as that suffices. 1:
 * nothing was told yet, and nobody is going to. -1 with the reason, which names the file.
 */
MUST_CHECK int journal_glance(const char *directory, const char *id, struct run_summary *ret,
			      struct err *err);

/* The same from all of it. */
MUST_CHECK int journal_read(const char *directory, const char *id, struct run_summary *ret,
			    struct err *err);

/* Opens the file of a run, with suspicion. -1 with the reason. */
MUST_CHECK int journal_open_file(const char *directory, const char *id, bool append,
				 struct err *err);

/* Whether a process still writes to it: it holds the lock. */
bool journal_is_alive(int fd);

/*
 * The one run that is meant by an id, its beginning or its end, or by `last`, which is none of the
 * cookbook `but` (NULL: of any). -1 with the reason: there is none, or more than one.
 */
MUST_CHECK int journal_find(const char *directory, const char *word, const char *but,
			    char ret_id[static RUN_ID_SIZE], struct err *err);

#endif
