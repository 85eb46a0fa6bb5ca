/* SPDX-License-Identifier: Apache-2.0 */
#include "hostname.h"

#include <stdio.h>
#include <string.h>

#include "hostblock.h"
#include "printable.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool hostname_may_have(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || (c && strchr("-_.:", c));
}

bool hostname_may_begin(char c)
{
	return hostname_may_have(c) && c != '-' && c != '.';
}

const char *hostname_shown(const char *text, size_t length, char out[static HOSTNAME_SHOWN_SIZE])
{
	size_t most = length < HOSTNAME_SHOWN_SIZE / 2 ? length : HOSTNAME_SHOWN_SIZE / 2;
	size_t head;
	struct buf shown = {0};

	printable_add(&shown, text, most);
	head = shown.length < HOSTNAME_SHOWN_SIZE - 4 ? shown.length : HOSTNAME_SHOWN_SIZE - 4;
	while (head && head < shown.length && (buf_text(&shown)[head] & 0xc0) == 0x80)
		head--; /* no half of a character */
	snprintf(out, HOSTNAME_SHOWN_SIZE, "%.*s%s", (int)head, buf_text(&shown),
		 most < length || head < shown.length ? "..." : "");
	buf_free(&shown);
	return out;
}

static int refuse(const char *name, size_t length, struct err *err, const char *why)
{
	char shown[HOSTNAME_SHOWN_SIZE];

	if (!err)
		return -1;
	return err_set(err, "'%s' is not the name of a host: %s",
		       hostname_shown(name, length, shown), why);
}

int hostname_read(const char *name, size_t length, struct hostname *ret, struct err *err)
{
	size_t digits;

	if (length == 0 || length > HOSTSET_NAME_MAX)
		return refuse(name, length, err, length ? "it is too long" : "it is empty");
	if (!hostname_may_begin(name[0]))
		return refuse(name, length, err, "its first character may not be in one there");
	ret->length = 0;
	ret->dimensions = 0;
	for (size_t i = 0; i < length; i += digits ? digits : 1) {
		if (!hostname_may_have(name[i]))
			return refuse(name, length, err,
				      "only letters, digits, '-', '_', '.' and ':' may be in one");
		digits = digits_span(name + i, name + length);
		if (digits && digits <= DIGITS_MAX && ret->dimensions < BOXES_DIMENSIONS) {
			ret->numbers[ret->dimensions++] = digits_number(name + i, digits);
			ret->text[ret->length++] = HOSTBLOCK_MARK;
			continue;
		}
		memcpy(ret->text + ret->length, name + i, digits ? digits : 1);
		ret->length += digits ? digits : 1;
	}
	ret->text[ret->length] = '\0';
	return 0;
}
