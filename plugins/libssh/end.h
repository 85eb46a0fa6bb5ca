/* SPDX-License-Identifier: Apache-2.0 */
/* How something came to its end, with the reason for the operator. */
#ifndef SPICERACK_LIBSSH_END_H
#define SPICERACK_LIBSSH_END_H

#include <stddef.h>

#include <spicerack/plugin.h>

#define END_REASON_SIZE 512

struct end {
	enum spk_transport_end_kind kind;
	int exit_code;
	char signal[16];              /* "": none */
	char reason[END_REASON_SIZE]; /* one line of printable ASCII, always */
};

/* Returns -1. */
int end_set(struct end *end, enum spk_transport_end_kind kind, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));

/* What is asked for at `file`:`line` cannot be done here. Returns -1. */
int end_refuse(struct end *end, const char *file, unsigned line, const char *format, ...)
	__attribute__((__format__(__printf__, 4, 5)));

/* Puts "TEXT: " in front of the reason. */
void end_prefix(struct end *end, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* Copies what a stranger says into `out`, printable, without line ends at its end. Returns `out`.
 */
const char *end_printable(const char *text, char *out, size_t size);

#endif
