/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An execution: commands on hosts, in batches, until all have had their turn or too many have
 * failed. It is one loop over the transport.
 */
#ifndef SPICERACK_MODULES_REMOTERUN_H
#define SPICERACK_MODULES_REMOTERUN_H

#include <spicerack/remote.h>

#include "../runtime/session.h"
#include "remoteoutput.h"

/* A command as the caller wants it, with defaults. */
struct order_command {
	const char *text, *shown; /* the latter printable, and not long */
	int64_t timeout_ns;       /* INT64_MAX: none */
	spk_ints accepted;
	bool any_code;
};

/* All that is wanted, with defaults. It lies in memory of the run, or the caller's. */
struct remote_order {
	struct spk *spk;
	const struct spk_hosts *hosts;
	spk_strings names; /* of the hosts, in order */
	struct order_command *commands;
	size_t command_count;
	size_t batch, needed;
	int64_t batch_sleep_ns, total_timeout_ns, connect_timeout_ns;
	spk_strings environment;
	const char *input;
	size_t input_length, output_limit;
	const char *user;      /* NULL: as configured */
	const char *directory; /* NULL: none */
	bool async, sudo, detached, read_only, show_output, show_progress;
};

/* What came of one command on one host. */
struct remote_record {
	enum spk_remote_end end;
	int exit_code; /* -1: none */
	char signal[24];
	char *reason; /* NULL: none */
	const struct blob *out, *err;
	uint64_t out_total, err_total;
	int64_t took_ns;
};

/* That of the command on the host, by their numbers. */
struct remote_records {
	const struct remote_order *order;
	struct remote_record *items;
};

static inline struct remote_record *record_of(const struct remote_records *records, size_t host,
					      size_t command)
{
	return &records->items[command * records->order->names.count + host];
}

/* Runs it. Raises as remote.h says, but for `remote.execution`, which is the caller's to judge. */
const struct spk_remote_results *remote_run(const struct remote_order *order);

/* ---- remoteresults.c ---- */

/* Copies them into memory of the run. NULL for `records`: nothing was run. */
const struct spk_remote_results *remote_results_make(const struct remote_order *order,
						     const struct remote_records *records);
/*
 * Those of the same commands on parts of `hosts`, put together; NULL in the list: not begun. One at
 * least was, the first.
 */
const struct spk_remote_results *remote_results_join(struct spk *spk, const struct spk_hosts *hosts,
						     const struct spk_remote_results *const *parts,
						     size_t count);

/* ---- remotereport.c ---- */

/* Tells the operator that it begins. */
void remote_report_start(const struct remote_order *order);
/* What the hosts wrote for a command, and who failed. */
void remote_report_command(const struct remote_records *records, size_t command);
/* The ratio of success: `ok` of all hosts. */
void remote_report_ratio(const struct remote_order *order, size_t command, size_t ok);
/* What hosts wrote, and how many had done all, when it was broken off in that phase. */
void remote_report_interrupted(const struct remote_records *records, size_t phase);
/* The hosts of these numbers, folded: all of them, for it may be the only place that tells. */
const char *remote_fold(const struct remote_order *order, const size_t *numbers, size_t count);

#endif
