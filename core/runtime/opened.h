/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the cookbook that was ordered, and making sure that it is the one that was read. */
#ifndef SPICERACK_CORE_OPENED_H
#define SPICERACK_CORE_OPENED_H

#include "session.h"

/*
 * Loads order->file, compares device, inode, size, mtime and build-id with what the
 * supervisor read from it, and fills in spk->base and spk->cookbook. Runs the file's
 * constructors and nothing else of it. The file is never unloaded.
 */
MUST_CHECK int cookbook_open(struct spk *spk, struct err *err);

#endif
