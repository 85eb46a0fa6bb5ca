/* SPDX-License-Identifier: Apache-2.0 */
/* A file in the format of another program, YAML, read by a driver of the kind "document". */
#ifndef SPICERACK_CORE_DOCUMENT_H
#define SPICERACK_CORE_DOCUMENT_H

#include <spicerack/plugin.h>

#include "buf.h"
#include "err.h"

/* A value, and what is in it. */
struct document_node {
	uint32_t kind; /* enum spk_document_event_kind: NULL to MAP */
	size_t line;
	char *key;  /* of a member of a map, else NULL */
	char *text; /* of NUMBER and TEXT, else NULL */
	struct document_node *children;
	size_t count, capacity;
};

struct document {
	char *file;
	struct document_node root; /* its kind is NULL where the file is empty */
};

/*
 * Reads a file: trusted with all that leads to it, regular, at most 4 MiB. The reason is
 * `FILE:LINE: ...` or `FILE: ...`; errno is ENOENT when, and only when, there is no such file. *ret
 * is the caller's, for document_free().
 */
MUST_CHECK int document_read(const char *file, struct document **ret, struct err *err);
/* The same from a text; `file` is only named. */
MUST_CHECK int document_parse(const char *file, const char *text, size_t length,
			      struct document **ret, struct err *err);
void document_free(struct document *document);

/* The member of a map, NULL when there is none or it is no map. */
const struct document_node *document_member(const struct document_node *map, const char *name);
/* The text of a value that is one, else NULL. */
const char *document_text(const struct document_node *node);

/* Sets `FILE:LINE: ` and the text. Returns -1. */
int document_refuse(const struct document *document, const struct document_node *node,
		    struct err *err, const char *format, ...)
	__attribute__((__format__(__printf__, 4, 5)));

/* Appends the value as JSON, in one line. */
void document_put_json(const struct document_node *node, struct buf *out);

#endif
