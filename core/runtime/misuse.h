/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More of what session.h has for the arguments that a contract forbids. Only for
 * the public functions themselves, whose name the author knows.
 */
#ifndef SPICERACK_CORE_MISUSE_H
#define SPICERACK_CORE_MISUSE_H

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

#endif
