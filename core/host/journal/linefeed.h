/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a file that may still grow. */
#ifndef SPICERACK_HOST_LINEFEED_H
#define SPICERACK_HOST_LINEFEED_H

#include <stdbool.h>
#include <sys/types.h>

#include "../../runtime/buf.h"
#include "../../runtime/err.h"

/* Zero-initialised is the beginning of the file. */
struct line_feed {
	struct buf pending; /* a line without its end */
	off_t offset;       /* what is read from next */
	size_t number;      /* of lines told */
};

/* `line`, of `length` bytes and a NUL, is without its newline. */
typedef void line_take(void *data, const char *line, size_t length, size_t number);

/* Tells all lines that have come to their end since the last call. -1 with the reason. */
MUST_CHECK int line_feed_read(struct line_feed *feed, int fd, line_take *take, void *data,
			      struct err *err);

/* Tells the line that has no end. */
void line_feed_end(struct line_feed *feed, line_take *take, void *data);

#endif
