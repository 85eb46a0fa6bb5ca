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

/*
 * A declaration of such a call, for `spicerack check`, which looks for the cookbook and parses the
 * words with its table, as a run would, long before there is one:
 *
 *     static const struct spk_call calls[] = {
 *     	SPK_CALL("hosts.reimage", "--os", SPK_ANY, SPK_ANY),
 *     	SPK_CALL("dns.wipe-cache", SPK_ANY),
 *     };
 *     SPK_COOKBOOK(..., SPK_CALLS(calls));
 *
 * A word known only in the run is SPK_ANY, or holds it ("--os=" SPK_ANY): it is taken for a
 * value that the target accepts. A call whose words differ from run to run is
 * declared once for each form. Nothing in a run depends on it. Since 1.0.
 */
struct spk_call {
	const char *name; /* full name of the cookbook called */
	spk_strings args;
};

struct spk_call_table {
	const struct spk_call *rows;
	uint32_t count;
	uint32_t row_size;
};

#define SPK_ANY "{}"
#define SPK_CALL(name_, ...)                                                                       \
	{                                                                                          \
		.name = (name_), .args = SPK_LIST_(#__VA_ARGS__, ##__VA_ARGS__)                    \
	}

#ifdef __cplusplus
}
#endif

#endif
