/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why something is done to hosts and services, by whom and for which task, in the one form that is
 * written where others find it: downtimes of a monitoring, the message of a lock file, a log.
 *
 *     reboot for a new kernel - jdoe@admin1001 - T12345
 */
#ifndef SPICERACK_REASON_H
#define SPICERACK_REASON_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;

/* A reason. It belongs to the run, and never changes. */
struct spk_admin_reason;

/*
 * A reason of whoever runs this, on this host. `task_id` NULL or "" is none. Raises
 * `reason.invalid` when one of them holds a double quote or a control character, which programs
 * that are handed the text do not expect, or when `reason` is empty. Since 1.0. Source:
 * spicerack.admin_reason().
 */
SPK_API const struct spk_admin_reason *spk_admin_reason(struct spk *spk, const char *reason,
							const char *task_id);
/*
 * The one that the operator gave with -r/--reason and -t/--task-id. Misuse when the cookbook does
 * not ask for a reason; `reason.invalid`, as above, also when none was given. Since 1.0.
 */
SPK_API const struct spk_admin_reason *spk_admin_reason_given(struct spk *spk);

/* `REASON - USER@HOST`, with ` - TASK` behind it where there is one. Since 1.0. */
SPK_API const char *spk_admin_reason_text(const struct spk_admin_reason *reason);
/*
 * The same in double quotes, as one word for a shell: `$`, backquotes and backslashes in it, which
 * the Python host leaves as they are, are escaped and mean themselves. Since 1.0. Source:
 * Reason.quoted().
 */
SPK_API const char *spk_admin_reason_quoted(const struct spk_admin_reason *reason);
/* What it was made of. Since 1.0. */
SPK_API const char *spk_admin_reason_reason(const struct spk_admin_reason *reason);
/* `USER@HOST`. Since 1.0. */
SPK_API const char *spk_admin_reason_owner(const struct spk_admin_reason *reason);
/* The task, or NULL. Since 1.0. */
SPK_API const char *spk_admin_reason_task(const struct spk_admin_reason *reason);

#ifdef __cplusplus
}
#endif

#endif
