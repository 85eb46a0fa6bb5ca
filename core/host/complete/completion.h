/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may stand in the place of the word at a shell's cursor. Whoever completes has not asked
 * for anything yet: nothing of a cookbook runs, nothing is written, and what goes wrong is passed
 * over in silence.
 */
#ifndef SPICERACK_HOST_COMPLETION_H
#define SPICERACK_HOST_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>

#include "../argument/argcomplete.h"
#include "../setting/settings.h"

struct candidate {
	const char *text;  /* the whole word; can be shown as it is, in one line */
	const char *about; /* likewise; "" for none */
	bool open;         /* more of the word follows */
};

/* Files are left to the shell, which knows best how to complete them. */
enum completion_files { COMPLETION_NO_FILES, COMPLETION_FILES, COMPLETION_DIRECTORIES };

struct completion {
	const char *word;        /* what there is of it */
	const char *config_file; /* that the command was given; NULL: none */
	size_t prefix;           /* bytes of the word before the value: `--option=` */
	enum completion_files files;
	struct candidate *items;
	size_t count, capacity;
	struct pool *pool;
	struct settings *settings; /* see completion_settings() */
};

/* Adds a text if it begins with the word and can be shown as it is. `data` is the completion. */
void completion_offer(void *data, const char *text, const char *about);

/* The same for a value, which goes behind the prefix. `open`: it is not the whole of it. */
void completion_offer_value(struct completion *completion, const char *value, const char *about,
			    bool open);

/* The value as far as it was typed. */
const char *completion_value(const struct completion *completion);

/* The configuration, read when first asked for. NULL: it cannot be read. */
const struct settings *completion_settings(struct completion *completion);

void completion_free(struct completion *completion);

/* From now on, the process ends after that time, having said nothing. */
void completion_bound(long milliseconds);

/* Offers what a value with that meaning can be. `before` is what was given for the one before it.
 */
void values_offer(struct completion *completion, enum arg_meaning meaning, const char *before);

#endif
