/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign text as a string of JSON (RFC 8259). */
#ifndef SPICERACK_CORE_JSONTEXT_H
#define SPICERACK_CORE_JSONTEXT_H

#include "buf.h"

/*
 * Appends `text` with its quotes; NULL is null. Lines and tabs come back as they are; what could
 * move a cursor is an escape of JSON, so that the document may be shown; what is no UTF-8 becomes
 * \xNN, as in the log files.
 */
void json_put_text(struct buf *out, const char *text);

/* The same as the value of a member: `"name": "text"`. The name needs no escapes. */
void json_put_member(struct buf *out, const char *name, const char *text);

#endif
