/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More of what session.h has for the arguments that a contract forbids. Only for
 * the public functions themselves, whose name the author knows.
 */
#ifndef SPICERACK_CORE_MISUSE_H
#define SPICERACK_CORE_MISUSE_H

#include <string.h>

#include "session.h"

/* Refuses NULL and the empty text. */
#define CHECK_NOT_EMPTY(text)                                                                      \
	do {                                                                                       \
		CHECK_GIVEN(text);                                                                 \
		if ((text)[0] == '\0')                                                             \
			session_misuse(__func__, "'%s' is empty", #text);                          \
	} while (0)

/* Refuses a list with NULL in it. */
#define CHECK_LIST(list)                                                                           \
	do {                                                                                       \
		for (size_t i_ = 0; i_ < (list).count; i_++) {                                     \
			if (!(list).items || !(list).items[i_])                                    \
				session_misuse(__func__, "item %zu of '%s' is NULL", i_, #list);   \
		}                                                                                  \
	} while (0)

/*
 * Takes over a structure of the caller's that begins with its size, which its headers may have
 * known as shorter or longer than `known` bytes: what is missing reads as zero, what this library
 * does not know must be zero. `least`: its size in version 1.0. `what` is the parameter, `macro`
 * what makes such a structure.
 */
static inline void adopt_structure(const char *function, const char *what, const char *macro,
				   const void *given, void *out, size_t known, size_t least)
{
	const unsigned char *bytes = given;
	uint32_t size;

	memcpy(&size, given, sizeof(size));
	if (size < least || size > 4096)
		session_misuse(function, "'%s' was not made by %s()", what, macro);
	for (size_t i = known; i < size; i++)
		if (bytes[i])
			session_misuse(function,
				       "'%s' uses a member at offset %zu that this library does "
				       "not know: it is older than the headers of the cookbook",
				       what, i);
	memset(out, 0, known);
	memcpy(out, given, size < known ? size : known);
}

/* The size of a structure whose last member was `member`. */
#define SIZE_UP_TO(structure, member)                                                              \
	(offsetof(structure, member) + sizeof(((structure *)0)->member))

#endif
