/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was done to each of several things, and how it went, to be reported in the end:
 *
 *     struct spk_actions *host = spk_actions(spk, name);
 *
 *     spk_actions_success(host, "rebooted");
 *     spk_actions_warning(host, "still %d alerts", alerts);
 *     ...
 *     spk_info(spk, "%s", spk_actions_report(spk));
 *
 *     - db1001 (**WARN**)
 *       - rebooted
 *       - still 2 alerts
 *
 * The lists are the run's; a cookbook that is run within another one has its own.
 */
#ifndef SPICERACK_ACTIONS_H
#define SPICERACK_ACTIONS_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_actions;

/*
 * The list of that name, made when it is first asked for; the same one each time. The name is one
 * line and not empty. Since 1.0. Source: spicerack.actions.
 */
SPK_API struct spk_actions *spk_actions(struct spk *spk, const char *name);

/* Logs the message at INFO, and adds it to the list. Since 1.0. */
SPK_API void spk_actions_success(struct spk_actions *actions, const char *format, ...)
	SPK_PRINTF(2, 3);
/* The same at WARNING: the status is WARN at best. Since 1.0. */
SPK_API void spk_actions_warning(struct spk_actions *actions, const char *format, ...)
	SPK_PRINTF(2, 3);
/* The same at ERROR: the status is FAIL. Since 1.0. */
SPK_API void spk_actions_failure(struct spk_actions *actions, const char *format, ...)
	SPK_PRINTF(2, 3);

/* `FAIL` after a failure, else `WARN` after a warning, else `PASS`. Since 1.0. */
SPK_API const char *spk_actions_status(const struct spk_actions *actions);
/* Whether there was a warning. Since 1.0. */
SPK_API bool spk_actions_has_warnings(const struct spk_actions *actions);
/* Whether there was a failure. Since 1.0. */
SPK_API bool spk_actions_has_failures(const struct spk_actions *actions);
/* `NAME (**STATUS**)`, then each message on a line, `  - MESSAGE`. Since 1.0. */
SPK_API const char *spk_actions_text(const struct spk_actions *actions);
/*
 * The texts of all lists of the run, in the order in which they were made, as items of a list for a
 * ticket; "" when there are none. Since 1.0.
 */
SPK_API const char *spk_actions_report(struct spk *spk);

#ifdef __cplusplus
}
#endif

#endif
