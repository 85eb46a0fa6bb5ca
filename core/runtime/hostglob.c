/* SPDX-License-Identifier: Apache-2.0 */
#include "hostglob.h"

#include <string.h>

#include "hostblock.h"

/* Up to where of a name the pattern read so far may match. */
struct reach {
	bool at[HOSTSET_NAME_MAX + 1];
	const char *name;
	size_t length;
};

static void pass_character(struct reach *reach, char c)
{
	for (size_t i = reach->length; i > 0; i--)
		reach->at[i] = reach->at[i - 1] && (c == '?' || c == reach->name[i - 1]);
	reach->at[0] = false;
}

static void pass_any(struct reach *reach)
{
	for (size_t i = 1; i <= reach->length; i++)
		reach->at[i] |= reach->at[i - 1];
}

static void pass_number(struct reach *reach, const struct boxes *numbers)
{
	const char *end = reach->name + reach->length;
	struct reach next = {.name = reach->name, .length = reach->length};

	for (size_t i = 0; i < reach->length; i++) {
		size_t digits = reach->at[i] ? digits_span(reach->name + i, end) : 0;

		for (size_t length = 1; length <= digits && length <= DIGITS_MAX; length++) {
			uint64_t number = digits_number(reach->name + i, length);

			next.at[i + length] |= boxes_have(numbers, &number);
		}
	}
	*reach = next;
}

bool hostglob_matches(const char *pattern, const struct boxes *numbers, const char *name,
		      size_t length)
{
	struct reach reach = {.name = name, .length = length};

	if (length > HOSTSET_NAME_MAX)
		return false;
	reach.at[0] = true;
	for (; *pattern; pattern++) {
		if (*pattern == HOSTBLOCK_MARK)
			pass_number(&reach, numbers++);
		else if (*pattern == '*')
			pass_any(&reach);
		else
			pass_character(&reach, *pattern);
	}
	return reach.at[length];
}
