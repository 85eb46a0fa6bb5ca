/* SPDX-License-Identifier: Apache-2.0 */
/* What hosts wrote, which may be any bytes, made fit for a document or a terminal. */
#ifndef SPICERACK_COOKBOOKS_BYTES_H
#define SPICERACK_COOKBOOKS_BYTES_H

#include <stddef.h>
#include <stdio.h>

/* A text of JSON, with its quotes; a byte that is no UTF-8 becomes U+FFFD. */
void bytes_put_json(FILE *out, const char *bytes, size_t length);

/* A line without its newline: what could move a cursor, and what is no UTF-8, shows as \x1b. */
void bytes_put_line(FILE *out, const char *bytes, size_t length);

#endif
