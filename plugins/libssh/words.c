/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include "../base/memory.h"

void words_add(struct words *words, char *word)
{
	words->items = memory_grow(words->items, words->count, &words->capacity,
				   sizeof(*words->items));
	words->items[words->count++] = word;
}

void words_free(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		memory_free(words->items[i]);
	memory_free(words->items);
	*words = (struct words){0};
}
