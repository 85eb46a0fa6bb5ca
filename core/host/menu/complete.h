/* SPDX-License-Identifier: Apache-2.0 */
/* What may come next on the command line of a cookbook, read from its tables. */
#ifndef SPICERACK_HOST_COMPLETE_H
#define SPICERACK_HOST_COMPLETE_H

#include "../tree/find.h"
#include "../tree/pool.h"
#include "../setting/settings.h"

/* Words that are offered; they and the list itself are in the pool. */
struct candidates {
	struct pool *pool;
	const char **items;
	size_t count, capacity;
};

/* Adds a copy of `text` if it begins with `word` and means the same to a shell as it stands. */
void candidates_add(struct candidates *candidates, const char *word, const char *text);

/* Byte order, each once. */
spk_strings candidates_sorted(struct candidates *candidates);

/* The byte at which the last word of a line begins, which may be empty: words are what blanks
 * separate. */
size_t complete_word(const char *text);

/*
 * Adds what may stand in the place of `word`, behind the words `before` it: options and choices.
 * Nothing for a table that cannot be honoured.
 */
void complete_arguments(const struct settings *settings, const struct cookbook_spec *spec,
			spk_strings before, const char *word, struct candidates *candidates);

#endif
