/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two log files of a cookbook, BASE/group1/cookbook.log and -extended.log. Any
 * number of processes may write to them and rotate them at the same time: a
 * record is one write(2) and never torn.
 */
#ifndef SPICERACK_HOST_LOGFILE_H
#define SPICERACK_HOST_LOGFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "../../runtime/buf.h"
#include "../../runtime/err.h"

#define LOGFILE_SIZE (10 * 1024 * 1024)
#define LOGFILE_KEEP 500

struct logfile;

struct logfile_limits {
	off_t size;    /* a record that would grow a file beyond it goes to a new one */
	unsigned keep; /* files NAME.log.1 (the newest) to NAME.log.KEEP */
};

/*
 * Opens or makes the files of `name`, dotted, and the directories (0750, files
 * 0640, whatever the umask; below a directory that is writable by its group and
 * hands it on, both are the group's, too: 2770 and 0660). Below `base` no link is followed and
 * nothing but a regular file is written to. `limits` NULL: LOGFILE_SIZE and LOGFILE_KEEP.
 */
MUST_CHECK int logfile_open(const char *base, const char *name, const struct logfile_limits *limits,
			    struct logfile **ret_logfile, struct err *err);

/*
 * Appends a rendered record to each file, `record` only when it is not NULL. -1 with the reason
 * for the first failure of each file; later ones are silent, and each write is tried again.
 */
MUST_CHECK int logfile_write(struct logfile *logfile, const struct buf *record,
			     const struct buf *extended, struct err *err);

/* The path of NAME.log, or of NAME-extended.log. It belongs to `logfile`. */
const char *logfile_path(const struct logfile *logfile, bool extended);

void logfile_close(struct logfile *logfile);

#endif
