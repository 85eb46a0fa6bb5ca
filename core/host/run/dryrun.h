/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The summary of a dry run: what was read, what would have been written and what could not be
 * known, as the calls of the SDK told it, with all inner runs. It keeps a limited number of lines,
 * without secrets.
 */
#ifndef SPICERACK_HOST_DRYRUN_H
#define SPICERACK_HOST_DRYRUN_H

#include "../../runtime/protocol.h"
#include "../log/log.h"

/* So many lines of each kind are kept. */
#define DRYRUN_LINES 200
/* And so many bytes of each line. */
#define DRYRUN_LINE_SIZE 1024

struct dryrun;

struct dryrun *dryrun_new(void);
void dryrun_free(struct dryrun *dryrun);

/* Takes a line, of anybody; one that is there already is counted. NULL: nobody wants it. */
void dryrun_take(struct dryrun *dryrun, enum dryrun_kind kind, const char *text);

/* Logs the summary once, if there is anything in it. NULL: nothing. */
void dryrun_tell(struct dryrun *dryrun, struct log *log);

#endif
