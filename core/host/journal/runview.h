/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of the journal as `spicerack runs` prints them, for people and for programs. */
#ifndef SPICERACK_HOST_RUNVIEW_H
#define SPICERACK_HOST_RUNVIEW_H

#include "journalfile.h"

/* "running", "PASS", "FAIL", "ERROR" or "cut off". */
const char *run_view_result(const struct run_summary *summary);

/* A heading and a line per run. */
void run_view_list(const struct run_summary *summaries, size_t count, struct buf *out);

/* All that is known of one, a line each. */
void run_view_text(const struct run_summary *summary, struct buf *out);

/* An object; its members are described in spicerack(1). `whole`: with arguments and inner runs. */
void run_view_json(const struct run_summary *summary, bool whole, struct buf *out);

#endif
