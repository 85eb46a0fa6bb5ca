/* SPDX-License-Identifier: Apache-2.0 */
/* How a menu looks on a terminal of any size. */
#ifndef SPICERACK_HOST_MENUVIEW_H
#define SPICERACK_HOST_MENUVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <spicerack/value.h>

/* A cookbook or a group, one line. Texts are printable. */
struct menuview_entry {
	char status[48]; /* without its brackets */
	const char *name, *title;
};

struct menuview {
	const char *title;
	spk_strings args;
	const struct menuview_entry *entries;
	size_t count;
	size_t first;         /* of the entries to show */
	const char *filter;   /* that the entries passed; NULL: all of them are there */
	const char *leave;    /* the line that tells how to leave */
	size_t columns, rows; /* of the terminal; SIZE_MAX: as many as it takes */
	bool coloured;
};

/* How many entries are shown at once, so that the end of what was there before stays in view. */
size_t menuview_page(const struct menuview *view);

/*
 * Prints the menu, without the prompt. Titles are cut at the width of the terminal; names are not,
 * for they are to be typed.
 */
void menuview_print(const struct menuview *view, FILE *out);

#endif
