/* SPDX-License-Identifier: Apache-2.0 */
#include "remoteoutput.h"

#include <stdlib.h>
#include <string.h>

#include "../runtime/mem.h"
#include "../runtime/printable.h"

/* A longer line is shown in pieces. */
#define LINE_BYTES 8192

void blobs_init(struct blobs *blobs)
{
	*blobs = (struct blobs){.left = OUTPUT_ALL_MAX};
}

void blobs_free(struct blobs *blobs)
{
	for (size_t i = 0; i < sizeof(blobs->buckets) / sizeof(blobs->buckets[0]); i++) {
		while (blobs->buckets[i]) {
			struct blob *blob = blobs->buckets[i];

			blobs->buckets[i] = blob->next;
			/* It may be a secret. */
			explicit_bzero(blob->bytes, blob->length);
			free(blob);
		}
	}
}

static uint64_t hash_of(const char *bytes, size_t length)
{
	uint64_t hash = 14695981039346656037ULL;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211ULL;
	return hash;
}

void capture_add(struct capture *capture, struct blobs *blobs, const char *bytes, size_t length,
		 size_t limit)
{
	size_t room = capture->bytes.length < limit ? limit - capture->bytes.length : 0;

	if (capture->total > capture->bytes.length)
		room = 0; /* no gap */
	capture->total += length;
	if (room > blobs->left)
		room = blobs->left;
	if (length > room)
		length = room;
	buf_add(&capture->bytes, bytes, length);
	blobs->left -= length;
}

struct blob *capture_end(struct capture *capture, struct blobs *blobs)
{
	size_t length = capture->bytes.length;
	struct blob *blob, **bucket;
	uint64_t hash;

	if (length == 0)
		return NULL;
	hash = hash_of(capture->bytes.text, length);
	bucket = &blobs->buckets[hash % (sizeof(blobs->buckets) / sizeof(blobs->buckets[0]))];
	for (blob = *bucket; blob; blob = blob->next)
		if (blob->hash == hash && blob->length == length &&
		    memcmp(blob->bytes, capture->bytes.text, length) == 0)
			break;
	if (blob) {
		blobs->left += length;
	} else {
		blob = xcalloc(1, sizeof(*blob) + length);
		blob->hash = hash;
		blob->length = length;
		memcpy(blob->bytes, capture->bytes.text, length);
		blob->next = *bucket;
		*bucket = blob;
	}
	buf_free(&capture->bytes);
	return blob;
}

void capture_free(struct capture *capture)
{
	buf_free(&capture->bytes);
}

/* One line, without its end. */
static void put_line(const char *line, size_t length, struct buf *out)
{
	if (length > 0 && line[length - 1] == '\r')
		length--;
	while (length > 0) {
		const char *tab = memchr(line, '\t', length);
		size_t part = tab ? (size_t)(tab - line) : length;

		printable_add(out, line, part);
		if (tab)
			buf_putc(out, '\t');
		part += tab ? 1 : 0;
		line += part;
		length -= part;
	}
	buf_putc(out, '\n');
}

void lines_add(struct lines *lines, const char *bytes, size_t length, bool all, struct buf *out)
{
	while (length > 0) {
		const char *end = memchr(bytes, '\n', length);
		size_t part = end ? (size_t)(end - bytes) : length;

		if (part > LINE_BYTES - lines->open.length) {
			part = LINE_BYTES - lines->open.length;
			end = NULL;
		}
		buf_add(&lines->open, bytes, part);
		bytes += part + (end ? 1 : 0);
		length -= part + (end ? 1 : 0);
		if (end || lines->open.length >= LINE_BYTES) {
			put_line(buf_text(&lines->open), lines->open.length, out);
			buf_clear(&lines->open);
		}
	}
	if (all && lines->open.length > 0) {
		put_line(buf_text(&lines->open), lines->open.length, out);
		buf_clear(&lines->open);
	}
}

void lines_free(struct lines *lines)
{
	buf_free(&lines->open);
}
