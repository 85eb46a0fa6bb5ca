/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern.h"

#include <string.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

void pattern_lower(char *text)
{
	for (; *text; text++)
		*text = lower(*text);
}

/* The pattern ends at `end`. On a mismatch the last `*` takes one character more. */
static bool matches(const char *text, const char *pattern, const char *end, bool fold)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (pattern < end &&
			   (*pattern == '?' || (fold ? lower(*pattern) : *pattern) == *text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

bool pattern_matches(const char *text, const char *pattern)
{
	return matches(text, pattern, pattern + strlen(pattern), false);
}

int pattern_list_match(const char *text, const char *list, size_t length, bool fold)
{
	const char *end = list + length;
	int found = 0;

	while (list < end) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		const char *stop = comma ? comma : end;
		bool negated = *list == '!';

		if (matches(text, list + negated, stop, fold)) {
			if (negated)
				return -1;
			found = 1;
		}
		list = comma ? comma + 1 : end;
	}
	return found;
}

bool pattern_is_one(const char *text, size_t length)
{
	return memchr(text, '*', length) || memchr(text, '?', length) || memchr(text, '!', length);
}
