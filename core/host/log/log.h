/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a run: each record goes through here once, to the files and to the terminal. */
#ifndef SPICERACK_HOST_LOG_H
#define SPICERACK_HOST_LOG_H

#include <stdbool.h>

#include "../../runtime/buf.h"
#include "../../runtime/err.h"
#include "../run/identity.h"
#include "record.h"
#include "../setting/settings.h"

struct log;
struct journal;

/*
 * Opens the log files of `name`, a cookbook or a group, and takes stderr. `name` NULL: no files.
 * `settings` and `identity` are not kept; what is secret in the first is hidden from now on.
 */
MUST_CHECK int log_open(const struct settings *settings, const char *name, bool dry_run,
			bool verbose, const struct identity *identity, struct log **ret_log,
			struct err *err);

/*
 * Takes the secrets out (redactor.h) before anything else sees the record. Cannot fail: the first
 * failure of each file is told on the terminal, and the run goes on. When it returns the record has
 * left this process.
 */
void log_write(struct log *log, const struct log_record *record);

/* The same from parts, with the time of now. */
void log_printf(struct log *log, enum spk_level level, const char *file, int line,
		const char *function, const char *format, ...)
	__attribute__((__format__(__printf__, 6, 7)));

#define log_debug(log, ...) log_printf((log), SPK_DEBUG, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_info(log, ...) log_printf((log), SPK_INFO, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_warning(log, ...)                                                                      \
	log_printf((log), SPK_WARNING, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_error(log, ...) log_printf((log), SPK_ERROR, __FILE__, __LINE__, __func__, __VA_ARGS__)

/* The journal that gets the records from now on, too; NULL: none. Kept. */
void log_set_journal(struct log *log, struct journal *journal);

/* Hosts that the run is about to run commands on, to its journal alone. */
void log_hosts(struct log *log, const char *hosts);
/* What came of such commands, to the journal as well. */
struct log_execution {
	spk_strings commands;
	uint64_t hosts, ok, failed, duration_ns;
};
void log_executed(struct log *log, const struct log_execution *execution);

/* A line of the cookbook's standard output, without secrets, to who wants events; to no file. */
void log_tell_output(struct log *log, const char *text);

/*
 * For the runner's last words, when this process can write none: the path of a file (NULL: there
 * is none), and what stands between the time and the level of each record in it. They
 * belong to `log`.
 */
const char *log_file_path(const struct log *log, bool extended);
const char *log_record_head(const struct log *log);

/*
 * What stands below the records on the terminal (terminal.h): the columns there are (0: no place
 * for it), a status, the place where an answer is typed.
 */
size_t log_columns(const struct log *log);
void log_set_status(struct log *log, const char *text, size_t columns);
void log_hold(struct log *log, const char *cue);

/*
 * `fd` gets what the terminal is shown, from now on, and with `data` what is given to log_show();
 * -1: nothing does. It stays the caller's.
 */
void log_keep(struct log *log, int fd, bool data);

/*
 * What is shown on stderr is shown on `fd`, too, which becomes the log's (terminal.h). Each ends
 * with its terminal_close(): `last_words`, a line, may be NULL.
 */
void log_lend(struct log *log, int fd, bool coloured, bool addressable);
void log_leave_lent(struct log *log, const char *last_words);
void log_leave_own(struct log *log, const char *last_words);

/* Data for the terminal, or what it has missed. */
void log_show(struct log *log, const char *text, size_t length);
void log_show_lent(struct log *log, const char *text, size_t length);

/* Before and behind data that goes to `fd`, which may be the same terminal. */
bool log_yield(struct log *log, int fd);
void log_resume(struct log *log, bool ended);

void log_close(struct log *log);

#endif
