/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The author's own output: lines and tables of data on standard output, and how far the run is,
 * on the terminal alone. What is for the operator to read goes to the log instead (session.h).
 */
#ifndef SPICERACK_OUTPUT_H
#define SPICERACK_OUTPUT_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_progress;
struct spk_scope;
struct spk_table;

/*
 * Writes a line to standard output, with its newline. It keeps its place among the records of
 * the log and what printf() wrote. Waits for a slow reader; when nobody reads any more it is
 * dropped. Since 1.0.
 */
SPK_API void spk_print(struct spk *spk, const char *format, ...) SPK_PRINTF(2, 3);

/*
 * A table, in memory of the run. `heads` names the columns; at least one. Columns are as wide
 * as what is in them, on the screen, not in bytes; one that holds nothing but numbers is
 * aligned to the right. Since 1.0.
 */
SPK_API struct spk_table *spk_table_new(struct spk *spk, spk_strings heads);

/* Adds a row: a cell for each column, else it is misuse. A newline in one shows as \x0a. Since 1.0.
 */
SPK_API void spk_table_row(struct spk_table *table, spk_strings cells);

/* The whole table as lines, the last one without a newline. Since 1.0. */
SPK_API const char *spk_table_text(const struct spk_table *table);

/* Writes it by spk_print(). Since 1.0. */
SPK_API void spk_table_print(const struct spk_table *table);

enum spk_progress_kind {
	SPK_BAR = 1,     /* rebooting [####......]  40% 2/5 0:12 */
	SPK_COUNTER = 2, /* rebooting 2/5 0:12 */
	SPK_SPINNER = 3, /* rebooting | 0:12 */
};

/*
 * Shows how far something is, in a line below the log. It is drawn where standard error is a
 * terminal, else nowhere, and never logged; it costs next to nothing, so say every step. `total` is
 * that of the steps, 0 when it is not known (a bar needs one, else it is misuse). Of several
 * the last that was opened is shown. Since 1.0.
 */
SPK_API struct spk_progress *spk_progress_open(struct spk *spk, enum spk_progress_kind kind,
					       const char *label, long long total);

/* So many more steps are done. Since 1.0. */
SPK_API void spk_progress_step(struct spk_progress *progress, long long steps);

/* Another label. Since 1.0. */
SPK_API void spk_progress_label(struct spk_progress *progress, const char *format, ...)
	SPK_PRINTF(2, 3);

/* Takes it off the screen. Again, or of NULL, is fine. Since 1.0. */
SPK_API void spk_progress_close(struct spk_progress *progress);

/* A scope at whose end it is closed: SPK_SCOPED(spk_progress_scope(spk, progress)). Since 1.0. */
SPK_API struct spk_scope *spk_progress_scope(struct spk *spk, struct spk_progress *progress);

#ifdef __cplusplus
}
#endif

#endif
