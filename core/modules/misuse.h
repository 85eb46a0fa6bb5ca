/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an SDK call does with an argument that its contract forbids: it raises
 * `misuse` naming the call. Only for the public functions themselves, whose name
 * the author knows. `spk` is NULL where a call has no session at hand: that is the
 * one of this process.
 */
#ifndef SPICERACK_MODULES_MISUSE_H
#define SPICERACK_MODULES_MISUSE_H

#include <spicerack/error.h>

#define NOT_NULL(spk, pointer)                                                                     \
	do {                                                                                       \
		if ((pointer) == NULL)                                                             \
			spk_raise((spk), "misuse", NULL, "%s(): `%s` is NULL", __func__,           \
				  #pointer);                                                       \
	} while (0)

#define NOT_EMPTY(spk, text)                                                                       \
	do {                                                                                       \
		NOT_NULL(spk, text);                                                               \
		if ((text)[0] == '\0')                                                             \
			spk_raise((spk), "misuse", NULL, "%s(): `%s` is empty", __func__, #text);  \
	} while (0)

/* A list of which every item is there. */
#define LIST_NOT_NULL(spk, list)                                                                   \
	do {                                                                                       \
		for (size_t i_ = 0; i_ < (list).count; i_++) {                                     \
			if ((list).items == NULL || (list).items[i_] == NULL)                      \
				spk_raise((spk), "misuse", NULL, "%s(): item %zu of `%s` is NULL", \
					  __func__, i_, #list);                                    \
		}                                                                                  \
	} while (0)

/* A handle of the type that `wanted` is the magic of. */
#define CHECK_HANDLE(handle, wanted)                                                               \
	do {                                                                                       \
		if ((handle) == NULL || (handle)->magic != (wanted))                               \
			spk_raise(NULL, "misuse", NULL, "%s(): `%s` is %s", __func__, #handle,     \
				  (handle) ? "not such a handle" : "NULL");                        \
	} while (0)

#endif
