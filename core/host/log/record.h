/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One log record and how it looks in the files and on the terminal. Whatever its
 * message holds, nobody can forge a record or move the cursor with it.
 */
#ifndef SPICERACK_HOST_RECORD_H
#define SPICERACK_HOST_RECORD_H

#include <spicerack/session.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "../../runtime/buf.h"

/* Who says it; a secret cut in two is in two records of the same source. */
enum record_source { RECORD_HOST, RECORD_COOKBOOK, RECORD_STDERR, RECORD_SOURCES };

struct log_record {
	struct timespec time; /* CLOCK_REALTIME */
	enum spk_level level;
	const char *module; /* the source file: its directories and `.c` are not shown */
	int line;
	const char *function;
	enum record_source source;
	const char *message; /* one newline at its end is not shown */
};

/* What all records of a run share. */
struct record_style {
	const char *user;
	pid_t pid;
	bool dry_run;
};

/* "INFO", also for levels in between: the next lower name. */
const char *record_level_name(enum spk_level level);

/*
 * Appends foreign text of several lines: `newline` for each newline, tabs as they are, all that
 * printable_add() refuses as \xNN.
 */
void record_sanitize(const char *text, size_t length, const char *newline, struct buf *out);

/*
 * Appends the record as it stands in NAME.log and in NAME-extended.log, with its
 * newline; further lines of the message are indented by four blanks.
 *
 *     2026-11-22 15:39:13,070 [DRY-RUN ]USER PID [INFO] MESSAGE
 *     2026-11-22 15:39:13,070 [DRY-RUN ]USER PID [INFO MODULE:LINE in FUNCTION] MESSAGE
 */
void record_render_files(const struct log_record *record, const struct record_style *style,
			 struct buf *out, struct buf *extended);

/* Appends the message for the terminal, without a newline at the end. */
void record_render_terminal(const struct log_record *record, bool dry_run, struct buf *out);

#endif
