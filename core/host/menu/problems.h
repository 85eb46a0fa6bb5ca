/* SPDX-License-Identifier: Apache-2.0 */
/* Lines about files that cannot be used, collected so that each is told once. Begins as zero. */
#ifndef SPICERACK_HOST_PROBLEMS_H
#define SPICERACK_HOST_PROBLEMS_H

#include <stdbool.h>
#include <stdio.h>

#include "../../runtime/buf.h"

struct problems {
	FILE *file; /* while they are collected */
	char *text;
	size_t size;
	struct buf told;
};

/* Where lines are to be printed until problems_tell(). */
FILE *problems_collect(struct problems *problems) __attribute__((returns_nonnull));

/* Prints those lines that were not told before, with `again` all; whether there was any line. */
bool problems_tell(struct problems *problems, bool again, FILE *out);

void problems_free(struct problems *problems);

#endif
