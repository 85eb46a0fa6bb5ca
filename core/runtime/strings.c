/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of texts: taken apart, put together, searched, sorted. */
#include <spicerack/text.h>

#include <stdlib.h>
#include <string.h>

#include <spicerack/error.h>
#include <spicerack/session.h>

#include "copy.h"
#include "misuse.h"

#define WHITE_SPACE " \t\n\v\f\r"

/* What stands before the items of a list that spk_append() made. */
struct list_head {
	uint64_t check; /* the address of the items under a mask, which no other list has there */
	size_t capacity;
	size_t used;
};

#define LIST_CHECK 0x73706b5f6c697374ULL

static const char **new_items(struct spk *spk, size_t count)
{
	if (count > SIZE_MAX / sizeof(char *) / 2)
		spk_raise(spk, "text", NULL, "a list of %zu items is too long", count);
	return count ? spk_alloc(spk, count * sizeof(char *)) : NULL;
}

spk_strings spk_split(struct spk *spk, const char *text, const char *separator)
{
	size_t length, count = 1;
	const char **items, *found;

	CHECK_GIVEN(text);
	CHECK_NOT_EMPTY(separator);
	length = strlen(separator);
	for (found = text; (found = strstr(found, separator)); found += length)
		count++;
	items = new_items(spk, count);
	for (size_t i = 0; i < count; i++) {
		found = strstr(text, separator);
		items[i] = copy_bytes(spk, text, found ? (size_t)(found - text) : strlen(text));
		text = found ? found + length : text;
	}
	return (spk_strings){items, count};
}

/* The next word at or after `text`, NULL for none. */
static const char *next_word(const char *text, size_t *length)
{
	text += strspn(text, WHITE_SPACE);
	*length = strcspn(text, WHITE_SPACE);
	return *length ? text : NULL;
}

spk_strings spk_words(struct spk *spk, const char *text)
{
	size_t length, count = 0;
	const char **items, *word;

	CHECK_GIVEN(text);
	for (word = text; (word = next_word(word, &length)); word += length)
		count++;
	items = new_items(spk, count);
	word = text;
	for (size_t i = 0; i < count; i++) {
		word = next_word(word, &length);
		items[i] = copy_bytes(spk, word, length);
		word += length;
	}
	return (spk_strings){items, count};
}

spk_strings spk_lines(struct spk *spk, const char *text)
{
	size_t length, count = 0;
	const char **items, *line;

	CHECK_GIVEN(text);
	for (line = text; *line; count++) {
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	items = new_items(spk, count);
	line = text;
	for (size_t i = 0; i < count; i++) {
		length = strcspn(line, "\n");
		items[i] = copy_bytes(
			spk, line,
			line[length] && length && line[length - 1] == '\r' ? length - 1 : length);
		line += length + (line[length] == '\n');
	}
	return (spk_strings){items, count};
}

const char *spk_join(struct spk *spk, const char *separator, spk_strings parts)
{
	size_t between, length = 0;
	char *text, *end;

	CHECK_GIVEN(separator);
	CHECK_LIST(parts);
	between = strlen(separator);
	for (size_t i = 0; i < parts.count; i++)
		length += strlen(parts.items[i]) + (i ? between : 0);
	end = text = spk_alloc(spk, length + 1);
	for (size_t i = 0; i < parts.count; i++) {
		if (i)
			end = mempcpy(end, separator, between);
		end = mempcpy(end, parts.items[i], strlen(parts.items[i]));
	}
	return text;
}

static uint64_t list_check(const void *items)
{
	return LIST_CHECK ^ (uint64_t)(uintptr_t)items;
}

/* Moves the list to memory with room for more. */
static struct list_head *list_grow(struct spk *spk, spk_strings *list)
{
	size_t capacity = list->count < 4 ? 8 : list->count * 2;
	struct list_head *head;
	const char **items;

	head = spk_alloc(spk, sizeof(*head) + capacity * sizeof(char *));
	items = (const char **)(void *)(head + 1);
	if (list->count)
		memcpy(items, list->items, list->count * sizeof(char *));
	head->check = list_check(items);
	head->capacity = capacity;
	head->used = list->count;
	list->items = items;
	return head;
}

/*
 * Two copies of a list value share their items up to the first append that would write where
 * the other one already has: that one moves.
 */
void spk_append(struct spk *spk, spk_strings *list, const char *text)
{
	struct list_head *head = NULL;
	const char *copy;

	CHECK_GIVEN(list);
	CHECK_GIVEN(text);
	copy = copy_text(spk, text);
	if (list->count) {
		CHECK_GIVEN(list->items);
		head = (struct list_head *)(uintptr_t)list->items - 1;
		if (head->check != list_check(list->items) || list->count > head->used)
			session_misuse(__func__, "it did not make this list");
	}
	if (!head || head->used != list->count || head->used == head->capacity)
		head = list_grow(spk, list);
	((const char **)(void *)(head + 1))[head->used++] = copy;
	list->count = head->used;
}

bool spk_includes(spk_strings list, const char *text)
{
	CHECK_GIVEN(text);
	for (size_t i = 0; i < list.count; i++) {
		if (spk_streq(list.items[i], text))
			return true;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

spk_strings spk_sorted(struct spk *spk, spk_strings list)
{
	const char **items;

	CHECK_LIST(list);
	items = new_items(spk, list.count);
	for (size_t i = 0; i < list.count; i++)
		items[i] = copy_text(spk, list.items[i]);
	if (list.count)
		qsort(items, list.count, sizeof(char *), compare);
	return (spk_strings){items, list.count};
}
