/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *memory(void *old, size_t size)
{
	void *new = realloc(old, size);

	if (!new) {
		fputs("spicerack: out of memory\n", stderr);
		abort();
	}
	return new;
}

void bytes_add(struct bytes *bytes, const void *data, size_t length)
{
	if (length == 0)
		return;
	if (bytes->first + bytes->length + length > bytes->capacity && bytes->first > 0) {
		memmove(bytes->data, bytes->data + bytes->first, bytes->length);
		bytes->first = 0;
	}
	if (bytes->length + length > bytes->capacity) {
		bytes->capacity = (bytes->length + length) * 2;
		bytes->data = memory(bytes->data, bytes->capacity);
	}
	memcpy(bytes->data + bytes->first + bytes->length, data, length);
	bytes->length += length;
}

void bytes_take(struct bytes *bytes, size_t length)
{
	bytes->first += length;
	bytes->length -= length;
	if (bytes->length == 0)
		bytes->first = 0;
}

void bytes_free(struct bytes *bytes)
{
	/* What was sent may have been secret. */
	if (bytes->data)
		explicit_bzero(bytes->data, bytes->capacity);
	free(bytes->data);
	*bytes = (struct bytes){0};
}

void bytes_put_number(struct bytes *bytes, uint32_t number)
{
	uint32_t wire = htobe32(number);

	bytes_add(bytes, &wire, sizeof(wire));
}

void bytes_put_text(struct bytes *bytes, const void *text, size_t length)
{
	bytes_put_number(bytes, (uint32_t)length);
	bytes_add(bytes, text, length);
}

static const unsigned char *take(struct reader *reader, size_t length)
{
	const unsigned char *at = reader->at;

	if (length > reader->left) {
		reader->bad = true;
		reader->left = 0;
		return NULL;
	}
	reader->at += length;
	reader->left -= length;
	return at;
}

uint8_t reader_byte(struct reader *reader)
{
	const unsigned char *at = take(reader, 1);

	return at ? *at : 0;
}

uint32_t reader_number(struct reader *reader)
{
	const unsigned char *at = take(reader, 4);
	uint32_t wire;

	if (!at)
		return 0;
	memcpy(&wire, at, sizeof(wire));
	return be32toh(wire);
}

const char *reader_text(struct reader *reader, size_t *ret_length)
{
	uint32_t length = reader_number(reader);
	const unsigned char *at = take(reader, length);

	*ret_length = at ? length : 0;
	return at ? (const char *)at : "";
}
