/* SPDX-License-Identifier: Apache-2.0 */
#include "option.h"

#include <inttypes.h>
#include <string.h>

#include "memory.h"
#include "text.h"

static void *member(const struct option *option, void *out)
{
	return (char *)out + option->offset;
}

static const struct option *find(const struct option *table, size_t rows, const char *name)
{
	for (size_t i = 0; i < rows; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static void add_text(struct option_texts *texts, const char *value)
{
	texts->items = memory_grow((void *)texts->items, texts->count, &texts->capacity,
				   sizeof(texts->items[0]));
	texts->items[texts->count++] = value;
}

/* Takes one value; returns what it must be when it is not. */
static const char *take(const struct option *option, const char *value, void *out)
{
	uint64_t number;

	switch (option->type) {
	case OPTION_TEXT:
	case OPTION_TEXTS:
		if (!*value)
			return "a text that is not empty";
		if (option->type == OPTION_TEXT)
			*(const char **)member(option, out) = value;
		else
			add_text(member(option, out), value);
		return NULL;
	case OPTION_NUMBER:
		if (!parse_number(value, option->max, &number) || number < option->min)
			return "a whole number";
		*(uint64_t *)member(option, out) = number;
		return NULL;
	default:
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return "true or false";
		*(bool *)member(option, out) = *value == 't';
		return NULL;
	}
}

int options_read(const struct option *table, size_t rows, const struct spk_driver_setting *given,
		 size_t count, void *out, struct spk_reason_buffer *reason)
{
	for (size_t i = 0; i < count; i++) {
		const struct option *option = find(table, rows, given[i].name);
		const char *wanted;

		if (!option) {
			reason_set(reason, "'%s' is not a setting of this driver", given[i].name);
			return -1;
		}
		if (i > 0 && option->type != OPTION_TEXTS &&
		    strcmp(given[i - 1].name, given[i].name) == 0) {
			reason_set(reason, "'%s' must be one value, not a list", option->name);
			return -1;
		}
		wanted = take(option, given[i].value, out);
		if (wanted && option->type == OPTION_NUMBER)
			reason_set(reason,
				   "'%s' must be a whole number from %" PRIu64 " to %" PRIu64
				   ", not '%s'",
				   option->name, option->min, option->max, given[i].value);
		else if (wanted)
			reason_set(reason, "'%s' must be %s, not '%s'", option->name, wanted,
				   given[i].value);
		if (wanted)
			return -1;
	}
	return 0;
}

void options_free(const struct option *table, size_t rows, void *out)
{
	for (size_t i = 0; i < rows; i++)
		if (table[i].type == OPTION_TEXTS) {
			struct option_texts *texts = member(&table[i], out);

			memory_free((void *)texts->items);
			*texts = (struct option_texts){0};
		}
}
