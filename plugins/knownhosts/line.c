/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <arpa/inet.h>
#include <string.h>

#include "../base/text.h"

#define BLANKS " \t\r\f\v"
#define FIELDS_MAX 4
/* The name of a host in DNS. */
#define NAME_MAX_LENGTH 253
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"

/* A piece of a line. */
struct piece {
	const char *text;
	size_t length;
};

static bool is_one_of(char c, const char *class)
{
	return c && strchr(class, c);
}

/* The first fields of a line; returns how many there are. */
static size_t split(const char *line, size_t length, struct piece fields[static FIELDS_MAX])
{
	const char *end = line + length;
	size_t count = 0;

	while (count < FIELDS_MAX) {
		while (line < end && is_one_of(*line, BLANKS))
			line++;
		if (line == end)
			break;
		fields[count].text = line;
		while (line < end && !is_one_of(*line, BLANKS))
			line++;
		fields[count].length = (size_t)(line - fields[count].text);
		count++;
	}
	return count;
}

static bool is(const struct piece *piece, const char *word)
{
	return piece->length == strlen(word) && memcmp(piece->text, word, piece->length) == 0;
}

static bool is_address(const char *name)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static bool is_name(const struct piece *piece)
{
	char name[NAME_MAX_LENGTH + 1];

	if (piece->length == 0 || piece->length > NAME_MAX_LENGTH)
		return false;
	memcpy(name, piece->text, piece->length);
	name[piece->length] = '\0';
	return strspn(name, NAME_CHARACTERS) == piece->length && !strchr("-.", name[0]) &&
	       !is_address(name);
}

/* `[name]:port` is the name. False: it is none. */
static bool take_port(struct piece *piece)
{
	const char *close;

	if (piece->length == 0 || piece->text[0] != '[')
		return true;
	close = memchr(piece->text, ']', piece->length);
	if (!close)
		return false;
	piece->text++;
	piece->length = (size_t)(close - piece->text);
	return true;
}

static bool read_base64(const char *text, size_t length, unsigned char out[static LINE_HASH_SIZE])
{
	char copy[64];
	struct text bytes = {0};
	bool good;

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	good = text_add_from_base64(&bytes, copy) && bytes.length == LINE_HASH_SIZE;
	if (good)
		memcpy(out, bytes.bytes, LINE_HASH_SIZE);
	text_free(&bytes);
	return good;
}

/* |1|SALT|HASH */
static bool read_hashed(const struct piece *piece, struct line_hashed *out)
{
	const char *salt = piece->text + 3, *end = piece->text + piece->length, *bar;

	if (piece->length < 3 || memcmp(piece->text, "|1|", 3) != 0)
		return false;
	bar = memchr(salt, '|', (size_t)(end - salt));
	return bar && read_base64(salt, (size_t)(bar - salt), out->salt) &&
	       read_base64(bar + 1, (size_t)(end - bar - 1), out->hash);
}

void line_read(const char *line, size_t length, void (*name)(void *, const char *, size_t),
	       void (*hashed)(void *, const struct line_hashed *), void *data)
{
	struct piece fields[FIELDS_MAX], *names = fields;
	size_t count = split(line, length, fields);
	struct line_hashed hash;
	const char *at, *end;

	if (count == 0 || fields[0].text[0] == '#')
		return;
	if (fields[0].text[0] == '@') {
		if (!is(&fields[0], "@cert-authority"))
			return;
		names++;
		count--;
	}
	if (count < 3)
		return;
	if (names->text[0] == '|') {
		if (read_hashed(names, &hash))
			hashed(data, &hash);
		return;
	}
	end = names->text + names->length;
	for (at = names->text; at < end; at++) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		struct piece piece = {at, (size_t)((comma ? comma : end) - at)};

		at += piece.length;
		if (take_port(&piece) && is_name(&piece))
			name(data, piece.text, piece.length);
	}
}
