/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running another cookbook inside this run: with the same global options, logging into
 * the same files, with its own lock, START and END, in processes of its own. It is
 * found as by the operator: `dns.wipe-cache`, or `dns/wipe-cache.so`.
 *
 * An interruption (Ctrl+C ...) ends the inner run first, which is rolled back, and then
 * raises `interrupted` here. In an undo action or a rollback the inner run is a part of the
 * undoing: neither a first Ctrl+C nor the time limit of this run ends it. All three raise
 * `nested.missing` when there is no such cookbook and `nested.depth` when runs are nested more than
 * 8 deep.
 */
#ifndef SPICERACK_NESTED_H
#define SPICERACK_NESTED_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;

/*
 * Returns the exit code of the inner run, as the operator would get it: 0, a code of
 * its own, or one of those reserved (cookbook(1)). Since 1.0.
 */
SPK_API SPK_MUST_CHECK int spk_run_cookbook(struct spk *spk, const char *name, spk_strings args);

/* The same, and raises `nested.failed` when that is not 0. Since 1.0. */
SPK_API void spk_run_cookbook_must(struct spk *spk, const char *name, spk_strings args);

/*
 * The same, and when that is not 0 asks the operator whether to retry, skip or abort. Returns
 * true when it succeeded, false when it was skipped; abort raises `aborted`. Where nobody
 * can be asked a failure raises `nested.failed`. The name of the question (prompt.h) is `failed-`
 * and that of the cookbook. Since 1.0.
 */
SPK_API SPK_MUST_CHECK bool spk_run_cookbook_confirm(struct spk *spk, const char *name,
						     spk_strings args);

#ifdef __cplusplus
}
#endif

#endif
