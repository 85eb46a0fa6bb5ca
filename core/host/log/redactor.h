/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes secrets out of all that leaves the supervisor: records, data, messages. Every secret is
 * looked for in all its forms (secretforms.h) at once, in time linear in the text whatever the
 * secrets are; where several overlap, all that they cover becomes one `********`.
 *
 * A secret is never forgotten: when a cookbook wipes its own, copies may be in a pipe, in a
 * buffer or in the arena. One redactor serves all runs of the process.
 *
 * Over-redaction is chosen over leaks where a text may be cut: a record whose end is the
 * beginning of a secret, by 4 bytes or by half of it, loses that end; and the beginning of a
 * record that, put behind the one before, completes a secret is redacted as well.
 */
#ifndef SPICERACK_HOST_REDACTOR_H
#define SPICERACK_HOST_REDACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "../../runtime/buf.h"
#include "../../runtime/err.h"

struct redactor;

/*
 * What has gone by, of a sequence of records or of data: one for each that can be cut by itself.
 * Zero-initialised is the beginning.
 */
struct redactor_stream {
	uint32_t state;   /* the beginning of secrets that the end of it is; 0: none */
	uint32_t settled; /* data: so many bytes of that beginning were passed on already */
	bool starred;     /* data: as part of a `********` */
};

/* The one of this process. */
struct redactor *redactor_shared(void);

/* For tests. NULL is fine. */
struct redactor *redactor_new(void);
void redactor_free(struct redactor *redactor);

/*
 * Adds a secret of SECRET_MIN to SECRET_MAX bytes; again is fine. -1 with the reason: the
 * length, or there are too many. Streams go on.
 */
MUST_CHECK int redactor_add(struct redactor *redactor, const char *text, struct err *err);

/* True before the first secret: nothing needs to be copied then. */
bool redactor_is_empty(const struct redactor *redactor);

/* Appends a record to `out`, redacted. `stream` NULL: nothing went before, nothing follows. */
void redactor_apply(struct redactor *redactor, struct redactor_stream *stream, const char *text,
		    struct buf *out);

/*
 * Data: the same bytes come out, but for the secrets. What may be the beginning of one is kept
 * back until more comes, or redactor_pause() (unless it is already half a secret) or
 * redactor_end() (redacted then, if it is).
 */
void redactor_pass(struct redactor *redactor, struct redactor_stream *stream, const char *bytes,
		   size_t length, struct buf *out);
void redactor_pause(struct redactor *redactor, struct redactor_stream *stream, struct buf *out);
void redactor_end(struct redactor *redactor, struct redactor_stream *stream, struct buf *out);

#endif
