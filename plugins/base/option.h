/* SPDX-License-Identifier: Apache-2.0 */
/* The settings that a driver is given, by a table of those that it knows. */
#ifndef SPICERACK_BASE_OPTION_H
#define SPICERACK_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include <spicerack/plugin.h>

enum option_type {
	OPTION_TEXT,   /* const char *, not empty */
	OPTION_TEXTS,  /* struct option_texts */
	OPTION_NUMBER, /* uint64_t */
	OPTION_FLAG,   /* bool */
};

/* A row of the table. */
struct option {
	const char *name;
	enum option_type type;
	size_t offset;     /* of the member that takes it */
	uint64_t min, max; /* of a number */
};

struct option_texts {
	const char **items;
	size_t count, capacity;
};

/*
 * Writes what is given into the members of `out`, which has the defaults. Texts stay the caller's:
 * the driver copies what it keeps. -1 with a reason that begins with the setting's name in quotes;
 * options_free() in any case.
 */
int options_read(const struct option *table, size_t rows, const struct spk_driver_setting *given,
		 size_t count, void *out, struct spk_reason_buffer *reason);
/* Frees lists; not the texts in them. */
void options_free(const struct option *table, size_t rows, void *out);

#endif
