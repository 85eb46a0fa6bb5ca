/* SPDX-License-Identifier: Apache-2.0 */
/* The stack of undo actions, in shared memory: what must be undone whatever happens. */
#ifndef SPICERACK_CORE_UNDO_H
#define SPICERACK_CORE_UNDO_H

#include "session.h"

#define SCOPE_MAGIC 0x53505343U

/*
 * Closes what was opened above `level`, last first. An action that raises is counted in
 * `undo_failed` and logged with what it was to undo; unless the callback has `failed` already the
 * first such error is returned, too, so that it fails. NULL: nothing to raise.
 */
const struct spk_error *undo_unwind(struct spk *spk, uint32_t level, bool failed);

/* The same in a fresh child for all that a dead one left; damaged records are logged, not called.
 */
void undo_after_crash(struct spk *spk);

#endif
