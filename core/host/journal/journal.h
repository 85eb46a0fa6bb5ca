/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of a run: a file DIRECTORY/ID.jsonl of its own, to which each event is appended as
 * one line (event.h). It is locked for as long as the supervisor lives, so that a run that was cut
 * off can be told from one that goes on; journalfile.h reads it.
 *
 * All events of a run are made here, and nowhere else are they freed of secrets (redactor.h).
 */
#ifndef SPICERACK_HOST_JOURNAL_H
#define SPICERACK_HOST_JOURNAL_H

#include "../../runtime/err.h"
#include "../log/record.h"
#include "event.h"

#define JOURNAL_SUFFIX ".jsonl"

struct journal;

/* Whoever wants the events, too. Called from this process's one thread; must neither wait nor fail.
 */
struct event_sink {
	void (*take)(void *data, const struct event *event);
	void *data;
	struct event_sink *next;
};

/*
 * Gives the run of `cookbook`, which is kept, an id and makes its file, and the directory where
 * that is missing (statedir.h). `outer` is the journal of the run that this one is within, or NULL:
 * its sinks get the events of this one, too. `durable`: journal_sync() does something, and room
 * for the end of the run is taken on the disk, so that it can be told when there is no more. -1
 * with the reason; nothing is left then.
 */
MUST_CHECK int journal_open(const char *directory, const char *cookbook,
			    const struct journal *outer, bool durable, struct journal **ret_journal,
			    struct err *err);

/* They belong to `journal`. */
const char *journal_run(const struct journal *journal);
const char *journal_path(const struct journal *journal);

/* Events of this run, and of those within it, also go to `sink`, which is kept. */
void journal_add_sink(struct journal *journal, struct event_sink *sink);

/*
 * Tells what has happened: the time is now, the texts may hold secrets. -1 with the reason when the
 * file could not be written for the first time; later failures are silent, and each write is tried
 * again. The sinks have got it anyway. `journal` NULL: nobody wants to know.
 */
MUST_CHECK int journal_tell(struct journal *journal, const char *name,
			    const struct event_field *fields, size_t count, struct err *err);

/* The same of a record of the log, which is without secrets already. */
MUST_CHECK int journal_tell_record(struct journal *journal, const struct log_record *record,
				   struct err *err);

/*
 * Shows the sinks something that is not kept, and has no number: its texts are without secrets.
 * `journal` may be NULL.
 */
void journal_show(const struct journal *journal, const char *name, const struct event_field *fields,
		  size_t count);

/* Waits until what was told is on the disk. Cannot be helped when it is not. */
void journal_sync(struct journal *journal);

/* It was no run: removes the file. */
void journal_discard(struct journal *journal);

void journal_close(struct journal *journal);

#endif
