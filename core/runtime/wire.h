/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between the processes of one run: numbers and texts one after the
 * other, in the byte order of the machine. A reader never looks past the end: the
 * first item that is not there makes it `bad`, and it then yields zeros and NULLs.
 */
#ifndef SPICERACK_CORE_WIRE_H
#define SPICERACK_CORE_WIRE_H

#include <spicerack/value.h>

#include "buf.h"

void wire_put_number(struct buf *message, uint64_t number);
/* NULL is kept apart from "". */
void wire_put_text(struct buf *message, const char *text);
void wire_put_texts(struct buf *message, spk_strings texts);

struct wire_reader {
	const char *at;
	size_t left;
	bool bad;
};

struct wire_reader wire_read(const void *bytes, size_t length);
uint64_t wire_get_number(struct wire_reader *reader);
/* A text within the message: it lives as long as that does. */
const char *wire_get_text(struct wire_reader *reader);
/* How many items follow; more than could fit in what is left makes the reader bad. */
size_t wire_get_count(struct wire_reader *reader);
/* True when everything was there and nothing is left over. */
bool wire_complete(const struct wire_reader *reader);

#endif
