/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of locks, made of the names that people and cookbooks give. */
#ifndef SPICERACK_HOST_LOCKNAME_H
#define SPICERACK_HOST_LOCKNAME_H

#include "../../runtime/err.h"
#include "../../runtime/protocol.h"

#define LOCK_ROOT "/spicerack/locks/"
#define LOCK_NAME_MAX 512

/*
 * The key of a name: "/spicerack/locks/custom/NAME". A name is not empty, at most LOCK_NAME_MAX
 * bytes of text that can be shown, and holds no slash; that of a module starts with "spicerack.".
 * The caller frees it; NULL with the reason.
 */
char *lock_key(enum lock_family family, const char *name, struct err *err);

/*
 * The key that an operator means: a whole key, or a name that stands for the cookbook's. As
 * lock_key().
 */
char *lock_key_of_word(const char *word, struct err *err);

#endif
