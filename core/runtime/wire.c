/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <string.h>

#define NO_TEXT UINT64_MAX

void wire_put_number(struct buf *message, uint64_t number)
{
	buf_add(message, &number, sizeof(number));
}

void wire_put_text(struct buf *message, const char *text)
{
	if (!text) {
		wire_put_number(message, NO_TEXT);
		return;
	}
	wire_put_number(message, strlen(text));
	buf_add(message, text, strlen(text) + 1);
}

void wire_put_texts(struct buf *message, spk_strings texts)
{
	wire_put_number(message, texts.count);
	for (size_t i = 0; i < texts.count; i++)
		wire_put_text(message, texts.items[i]);
}

struct wire_reader wire_read(const void *bytes, size_t length)
{
	return (struct wire_reader){.at = bytes, .left = length};
}

uint64_t wire_get_number(struct wire_reader *reader)
{
	uint64_t number;

	if (reader->bad || reader->left < sizeof(number)) {
		reader->bad = true;
		return 0;
	}
	memcpy(&number, reader->at, sizeof(number));
	reader->at += sizeof(number);
	reader->left -= sizeof(number);
	return number;
}

const char *wire_get_text(struct wire_reader *reader)
{
	uint64_t length = wire_get_number(reader);
	const char *text = reader->at;

	if (reader->bad || length == NO_TEXT)
		return NULL;
	if (length >= reader->left || memchr(text, '\0', length + 1) != text + length) {
		reader->bad = true;
		return NULL;
	}
	reader->at += length + 1;
	reader->left -= length + 1;
	return text;
}

size_t wire_get_count(struct wire_reader *reader)
{
	uint64_t count = wire_get_number(reader);

	if (count > reader->left / sizeof(uint64_t))
		reader->bad = true;
	return reader->bad ? 0 : count;
}

bool wire_complete(const struct wire_reader *reader)
{
	return !reader->bad && reader->left == 0;
}
