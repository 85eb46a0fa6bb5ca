/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of texts that own them. Zeroed is empty. */
#ifndef SPICERACK_LIBSSH_WORDS_H
#define SPICERACK_LIBSSH_WORDS_H

#include <stddef.h>

struct words {
	char **items;
	size_t count, capacity;
};

/* Takes the text over. */
void words_add(struct words *words, char *word);
void words_free(struct words *words);

#endif
