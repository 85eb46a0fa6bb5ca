/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions for cookbooks, over the host's patterns. */
#include <spicerack/regex.h>

#include <string.h>

#include <spicerack/error.h>
#include <spicerack/session.h>

#include "../runtime/pattern.h"
#include "../runtime/copy.h"
#include "../runtime/misuse.h"

#define MATCH_MAGIC 0x6d74631eU
#define MAX_GROUPS 256 /* of one match */

/* Plain data: named groups are looked up in the pattern, compiled again where that is needed. */
struct spk_match {
	uint32_t magic;
	struct spk *spk;
	const char *pattern;
	size_t count;
	const char *groups[];
};

static struct pattern *compile(struct spk *spk, const char *text)
{
	struct err err = {{0}};
	struct pattern *pattern = pattern_compile(text, &err);

	if (!pattern)
		spk_raise(spk, "regex", NULL, "%s", err.text);
	return pattern;
}

/* The number of groups, 0 for no match. A span that would be read has its start before its end. */
static size_t search(struct spk *spk, struct pattern *pattern, const char *text, size_t length,
		     size_t start, struct pattern_span *spans, size_t room)
{
	struct err err = {{0}};
	int count = pattern_search(pattern, text, length, start, spans, room, &err);

	if (count < 0)
		spk_raise(spk, "regex", NULL, "%s", err.text);
	for (size_t i = 0; count && i < room; i++) {
		if (spans[i].start != SIZE_MAX &&
		    (spans[i].start > spans[i].end || spans[i].end > length))
			spk_raise(spk, "regex", NULL, "a match ends before its start");
	}
	return (size_t)count;
}

bool spk_matches(struct spk *spk, const char *pattern, const char *text)
{
	CHECK_GIVEN(pattern);
	CHECK_GIVEN(text);
	return search(spk, compile(spk, pattern), text, strlen(text), 0, NULL, 0) > 0;
}

const struct spk_match *spk_match(struct spk *spk, const char *pattern, const char *text)
{
	struct pattern_span spans[MAX_GROUPS];
	struct spk_match *match;
	size_t count;

	CHECK_GIVEN(pattern);
	CHECK_GIVEN(text);
	count = search(spk, compile(spk, pattern), text, strlen(text), 0, spans, MAX_GROUPS);
	if (!count)
		return NULL;
	if (count > MAX_GROUPS)
		spk_raise(spk, "regex", NULL, "the pattern '%s' has more than %d groups", pattern,
			  MAX_GROUPS - 1);
	match = spk_alloc(spk, sizeof(*match) + count * sizeof(match->groups[0]));
	match->spk = spk;
	match->pattern = copy_text(spk, pattern);
	match->count = count;
	for (size_t i = 0; i < count; i++) {
		if (spans[i].start != SIZE_MAX)
			match->groups[i] = copy_bytes(spk, text + spans[i].start,
						      spans[i].end - spans[i].start);
	}
	match->magic = MATCH_MAGIC;
	return match;
}

const char *spk_match_group(const struct spk_match *match, unsigned int number)
{
	CHECK_HANDLE(match, MATCH_MAGIC);
	return number < match->count ? match->groups[number] : NULL;
}

const char *spk_match_named(const struct spk_match *match, const char *name)
{
	int number;

	CHECK_HANDLE(match, MATCH_MAGIC);
	CHECK_GIVEN(name);
	number = pattern_group(compile(match->spk, match->pattern), name);
	return number < 0 || (size_t)number >= match->count ? NULL : match->groups[number];
}

/* Where the search for the next match starts: behind the last one, and at another place. */
static size_t next_start(const char *text, const struct pattern_span *last)
{
	size_t next = last->end;

	if (last->end > last->start || !text[next])
		return last->end > last->start ? next : next + 1;
	do {
		next++;
	} while (((unsigned char)text[next] & 0xc0) == 0x80);
	return next;
}

/*
 * Walks over all matches, into `items` unless that is NULL: the text between them with `split`,
 * else their own. Returns the number of items.
 */
static size_t walk(struct spk *spk, struct pattern *pattern, const char *text, bool split,
		   const char **items)
{
	size_t length = strlen(text), start = 0, from = 0, count = 0, groups;
	struct pattern_span spans[2];

	while (start <= length && (groups = search(spk, pattern, text, length, start, spans, 2))) {
		const struct pattern_span *taken = &spans[groups > 1];

		if (items && split)
			items[count] = copy_bytes(spk, text + from, spans[0].start - from);
		else if (items && taken->start == SIZE_MAX)
			items[count] = "";
		else if (items)
			items[count] = copy_bytes(spk, text + taken->start,
						  taken->end - taken->start);
		count++;
		from = spans[0].end;
		start = next_start(text, &spans[0]);
	}
	if (items && split)
		items[count] = copy_text(spk, text + from);
	return count + split;
}

static spk_strings walk_twice(struct spk *spk, const char *pattern_text, const char *text,
			      bool split)
{
	struct pattern *pattern = compile(spk, pattern_text);
	size_t count = walk(spk, pattern, text, split, NULL);
	const char **items;

	if (!count)
		return (spk_strings){0};
	items = spk_alloc(spk, count * sizeof(char *));
	walk(spk, pattern, text, split, items);
	return (spk_strings){items, count};
}

spk_strings spk_match_all(struct spk *spk, const char *pattern, const char *text)
{
	CHECK_GIVEN(pattern);
	CHECK_GIVEN(text);
	return walk_twice(spk, pattern, text, false);
}

spk_strings spk_regex_split(struct spk *spk, const char *pattern, const char *text)
{
	CHECK_GIVEN(pattern);
	CHECK_GIVEN(text);
	return walk_twice(spk, pattern, text, true);
}

const char *spk_substitute(struct spk *spk, const char *pattern, const char *replacement,
			   const char *text)
{
	struct pattern *compiled;
	struct err err = {{0}};
	char small[2048], *out = small;
	size_t length = sizeof(small);
	int rc;

	CHECK_GIVEN(pattern);
	CHECK_GIVEN(replacement);
	CHECK_GIVEN(text);
	compiled = compile(spk, pattern);
	rc = pattern_substitute(compiled, text, replacement, out, &length, &err);
	if (rc > 0) {
		out = spk_alloc(spk, length);
		rc = pattern_substitute(compiled, text, replacement, out, &length, &err);
	}
	if (rc != 0)
		spk_raise(spk, "regex", NULL, "%s", rc < 0 ? err.text : "the text changed");
	return out == small ? copy_text(spk, small) : out;
}

const char *spk_regex_quote(struct spk *spk, const char *text)
{
	char *quoted, *end;

	CHECK_GIVEN(text);
	end = quoted = spk_alloc(spk, 2 * strlen(text) + 1);
	for (; *text; text++) {
		if (strchr("\\^$.[]|()?*+{}-# \t\n\r\f\v", *text))
			*end++ = '\\';
		*end++ = *text;
	}
	return quoted;
}
