/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a cookbook is, as it says, drawn as the line below the records: on a terminal only,
 * ten times a second at most, as wide as the terminal is now. The last that began is shown.
 */
#ifndef SPICERACK_HOST_PROGRESS_H
#define SPICERACK_HOST_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "../../runtime/buf.h"
#include "log.h"

#define PROGRESS_MAX 8

struct progress_item {
	uint64_t id;
	uint64_t kind; /* enum spk_progress_kind; 0: it is over */
	uint64_t done, total;
	int64_t began_ns;
	char label[256]; /* clean, without secrets */
};

/* Zero-initialised: there is none. */
struct progress {
	struct progress_item items[PROGRESS_MAX];
	size_t count;
	int64_t drawn_ns;
	bool drawn;
};

/* Takes what the child says of one, known by its id. More at a time than there is room for are
 * not shown. */
void progress_take(struct progress *progress, const struct progress_item *item, const char *label);

/* Draws what is due. Returns in how many ns it is to be drawn again; INT64_MAX: not by itself. */
int64_t progress_draw(struct progress *progress, struct log *log);

/* The child is gone, or at the end of a stage: forgets all and clears the line. */
void progress_clear(struct progress *progress, struct log *log);

/*
 * One line of at most `columns` columns:
 *
 *     rebooting [########............]  40% 2/5 0:12
 *     rebooting 2/5 0:12
 *     rebooting | 0:12
 */
void progress_render(const struct progress_item *item, size_t columns, int64_t now_ns,
		     struct buf *out);

#endif
