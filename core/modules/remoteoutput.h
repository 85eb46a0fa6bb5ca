/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hosts write: kept up to a limit for each stream and one for all together, the same bytes
 * once, and made fit for a terminal.
 */
#ifndef SPICERACK_MODULES_REMOTEOUTPUT_H
#define SPICERACK_MODULES_REMOTEOUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "../runtime/buf.h"

/* Of all streams of an execution together. */
#define OUTPUT_ALL_MAX (64U << 20)

/* Bytes that one or more streams have ended with. */
struct blob {
	struct blob *next;
	uint64_t hash;
	size_t length;
	const char *kept; /* the copy in memory of the run; NULL: not yet */
	char bytes[];
};

struct blobs {
	struct blob *buckets[1024];
	size_t left; /* of OUTPUT_ALL_MAX */
};

/* One stream of one command on one host. */
struct capture {
	struct buf bytes;
	uint64_t total; /* written, kept or not */
};

void blobs_init(struct blobs *blobs);
void blobs_free(struct blobs *blobs);

/* Keeps of it what there is room for: `limit` bytes of the stream. */
void capture_add(struct capture *capture, struct blobs *blobs, const char *bytes, size_t length,
		 size_t limit);
/* The stream has ended: what was kept, which is empty then. NULL: nothing. */
struct blob *capture_end(struct capture *capture, struct blobs *blobs);
void capture_free(struct capture *capture);

/*
 * Lines on their way to the operator: what is not fit for a terminal is written as \xNN, tabs stay,
 * and a line without end is cut. Zero is empty.
 */
struct lines {
	struct buf open; /* a line that has not ended */
};

/* Appends to `out` the lines that `bytes` complete; with `all` also the one that is open. */
void lines_add(struct lines *lines, const char *bytes, size_t length, bool all, struct buf *out);
void lines_free(struct lines *lines);

#endif
