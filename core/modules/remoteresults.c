/* SPDX-License-Identifier: Apache-2.0 */
/* What came of an execution, in memory of the run, and what is asked of it. */
#include "remoterun.h"

#include <stdlib.h>
#include <string.h>

#include <spicerack/error.h>
#include <spicerack/text.h>

#include "../runtime/copy.h"
#include "../runtime/mem.h"
#include "../runtime/misuse.h"

#define RESULTS_MAGIC 0x72656d72U

/* Plain data: a fresh process can read it after a crash. */
struct spk_remote_results {
	uint32_t magic;
	struct spk *spk;
	const struct spk_hosts *hosts;
	spk_strings names;
	size_t command_count;
	struct spk_remote_result *items; /* of the first command on all hosts, then ... */
};

/* ---- making them ---- */

/* The same bytes lie there once. */
static const char *keep_blob(struct spk *spk, const struct blob *blob)
{
	if (!blob)
		return "";
	if (!blob->kept)
		((struct blob *)(uintptr_t)blob)->kept = copy_bytes(spk, blob->bytes, blob->length);
	return blob->kept;
}

static void fill_in(struct spk *spk, const struct remote_record *record,
		    struct spk_remote_result *result)
{
	result->end = record->end;
	result->exit_code = record->exit_code;
	result->signal = record->signal[0] ? copy_text(spk, record->signal) : "";
	result->reason = record->reason ? copy_text(spk, record->reason) : "";
	result->out = keep_blob(spk, record->out);
	result->err = keep_blob(spk, record->err);
	result->out_length = record->out ? record->out->length : 0;
	result->err_length = record->err ? record->err->length : 0;
	result->out_total = record->out_total;
	result->err_total = record->err_total;
	result->took = SPK_NANOSECONDS(record->took_ns);
}

const struct spk_remote_results *remote_results_make(const struct remote_order *order,
						     const struct remote_records *records)
{
	struct spk *spk = order->spk;
	struct spk_remote_results *results = SPK_NEW(spk, struct spk_remote_results);
	size_t hosts = order->names.count;

	results->spk = spk;
	results->hosts = order->hosts;
	results->names = order->names;
	results->command_count = order->command_count;
	results->items = spk_alloc(spk, hosts * order->command_count * sizeof(results->items[0]));
	for (size_t i = 0; i < hosts * order->command_count; i++) {
		struct spk_remote_result *result = &results->items[i];
		static const struct remote_record none = {.exit_code = -1};

		fill_in(spk, records ? &records->items[i] : &none, result);
		result->host = order->names.items[i % hosts];
		result->command_index = i / hosts;
		result->command = order->commands[i / hosts].text;
	}
	results->magic = RESULTS_MAGIC;
	return results;
}

/* The parts have the hosts in the same order. */
const struct spk_remote_results *remote_results_join(struct spk *spk, const struct spk_hosts *hosts,
						     const struct spk_remote_results *const *parts,
						     size_t count)
{
	struct spk_remote_results *joined = SPK_NEW(spk, struct spk_remote_results);
	const struct spk_remote_results *first = parts[0];
	size_t all, done = 0;

	joined->spk = spk;
	joined->hosts = hosts;
	joined->names = spk_hosts_names(hosts);
	joined->command_count = first->command_count;
	all = joined->names.count;
	joined->items = spk_alloc(spk, all * joined->command_count * sizeof(joined->items[0]));
	for (size_t i = 0; i < all * joined->command_count; i++) {
		joined->items[i] = (struct spk_remote_result){
			.exit_code = -1,
			.host = joined->names.items[i % all],
			.command_index = i / all,
			.command = first->items[i / all * first->names.count].command,
			.signal = "",
			.reason = "",
			.out = "",
			.err = "",
		};
	}
	for (size_t part = 0; part < count && parts[part]; part++) {
		size_t size = parts[part]->names.count;

		for (size_t command = 0; command < joined->command_count; command++)
			memcpy(&joined->items[command * all + done],
			       &parts[part]->items[command * size],
			       size * sizeof(joined->items[0]));
		done += size;
	}
	joined->magic = RESULTS_MAGIC;
	return joined;
}

/* ---- one of them ---- */

size_t spk_remote_results_count(const struct spk_remote_results *results)
{
	CHECK_HANDLE(results, RESULTS_MAGIC);
	return results->names.count * results->command_count;
}

const struct spk_remote_result *spk_remote_results_at(const struct spk_remote_results *results,
						      size_t index)
{
	CHECK_HANDLE(results, RESULTS_MAGIC);
	if (index >= results->names.count * results->command_count)
		session_misuse(__func__, "there is no result %zu", index);
	return &results->items[index];
}

const struct spk_remote_result *spk_remote_results_of(const struct spk_remote_results *results,
						      const char *host, size_t command)
{
	CHECK_HANDLE(results, RESULTS_MAGIC);
	CHECK_GIVEN(host);
	if (command >= results->command_count)
		session_misuse(__func__, "there is no command %zu", command);
	for (size_t i = 0; i < results->names.count; i++)
		if (strcmp(results->names.items[i], host) == 0)
			return &results->items[command * results->names.count + i];
	return NULL;
}

/* ---- sets of hosts ---- */

typedef bool chosen(const struct spk_remote_results *results, size_t host, uint32_t end);

static const struct spk_hosts *choose(const struct spk_remote_results *results, chosen *is_chosen,
				      uint32_t end)
{
	const char **names = spk_alloc(results->spk, results->names.count * sizeof(*names) + 1);
	size_t count = 0;

	for (size_t i = 0; i < results->names.count; i++)
		if (is_chosen(results, i, end))
			names[count++] = results->names.items[i];
	return spk_hosts_of(results->spk, (spk_strings){names, count});
}

static bool ended(const struct spk_remote_results *results, size_t host, uint32_t end)
{
	for (size_t i = 0; i < results->command_count; i++)
		if (results->items[i * results->names.count + host].end == end)
			return true;
	return false;
}

/* Who failed at one got no further command, so the last one tells. */
static bool succeeded(const struct spk_remote_results *results, size_t host, uint32_t end)
{
	size_t last = (results->command_count - 1) * results->names.count;

	return results->items[last + host].end == SPK_REMOTE_OK;
}

static bool failed(const struct spk_remote_results *results, size_t host, uint32_t end)
{
	for (size_t i = 0; i < results->command_count; i++)
		if (results->items[i * results->names.count + host].end > SPK_REMOTE_OK)
			return true;
	return false;
}

static bool neither(const struct spk_remote_results *results, size_t host, uint32_t end)
{
	return !succeeded(results, host, end) && !failed(results, host, end);
}

const struct spk_hosts *spk_remote_succeeded(const struct spk_remote_results *results)
{
	CHECK_HANDLE(results, RESULTS_MAGIC);
	return choose(results, succeeded, 0);
}

const struct spk_hosts *spk_remote_failed(const struct spk_remote_results *results)
{
	CHECK_HANDLE(results, RESULTS_MAGIC);
	return choose(results, failed, 0);
}

const struct spk_hosts *spk_remote_not_run(const struct spk_remote_results *results)
{
	CHECK_HANDLE(results, RESULTS_MAGIC);
	return choose(results, neither, 0);
}

const struct spk_hosts *spk_remote_ended(const struct spk_remote_results *results,
					 enum spk_remote_end end)
{
	CHECK_HANDLE(results, RESULTS_MAGIC);
	return choose(results, ended, end);
}

/* ---- groups ---- */

/* Equal bytes have one address. */
static int compare_outputs(const void *first, const void *second)
{
	const struct spk_remote_result *a = *(const struct spk_remote_result *const *)first;
	const struct spk_remote_result *b = *(const struct spk_remote_result *const *)second;

	if (a->out_length != b->out_length)
		return a->out_length < b->out_length ? -1 : 1;
	if (a->err_length != b->err_length)
		return a->err_length < b->err_length ? -1 : 1;
	if (a->out != b->out && a->out_length)
		return a->out < b->out ? -1 : 1;
	if (a->err != b->err && a->err_length)
		return a->err < b->err ? -1 : 1;
	return 0;
}

static int compare_groups(const void *first, const void *second)
{
	const struct spk_remote_group *a = first, *b = second;
	size_t counts[2] = {spk_hosts_count(a->hosts), spk_hosts_count(b->hosts)};

	if (counts[0] != counts[1])
		return counts[0] > counts[1] ? -1 : 1;
	return strcmp(spk_hosts_fold(a->hosts), spk_hosts_fold(b->hosts));
}

static struct spk_remote_group make_group(struct spk *spk,
					  const struct spk_remote_result *const *results,
					  size_t count)
{
	const char **names = spk_alloc(spk, count * sizeof(*names));

	for (size_t i = 0; i < count; i++)
		names[i] = results[i]->host;
	return (struct spk_remote_group){
		.hosts = spk_hosts_of(spk, (spk_strings){names, count}),
		.out = results[0]->out,
		.err = results[0]->err,
		.out_length = results[0]->out_length,
		.err_length = results[0]->err_length,
	};
}

spk_remote_groups spk_remote_results_groups(const struct spk_remote_results *results,
					    size_t command)
{
	const struct spk_remote_result **ran;
	struct spk_remote_group *groups;
	size_t count = 0, made = 0;

	CHECK_HANDLE(results, RESULTS_MAGIC);
	if (command >= results->command_count)
		session_misuse(__func__, "there is no command %zu", command);
	ran = spk_alloc(results->spk, results->names.count * sizeof(*ran));
	for (size_t i = 0; i < results->names.count; i++) {
		const struct spk_remote_result *result =
			&results->items[command * results->names.count + i];

		if (result->end != SPK_REMOTE_NOT_RUN)
			ran[count++] = result;
	}
	if (count == 0)
		return (spk_remote_groups){0};
	qsort(ran, count, sizeof(*ran), compare_outputs);
	groups = spk_alloc(results->spk, count * sizeof(*groups));
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && compare_outputs(&ran[i], &ran[next]) == 0;)
			next++;
		groups[made++] = make_group(results->spk, &ran[i], next - i);
	}
	qsort(groups, made, sizeof(*groups), compare_groups);
	return (spk_remote_groups){groups, made};
}

/* ---- what they wrote ---- */

static const char *trimmed(const struct spk_remote_results *results,
			   const struct spk_remote_result *result)
{
	return spk_trim(results->spk, result->out);
}

static const struct spk_remote_result *last_of(const struct spk_remote_results *results,
					       size_t host)
{
	return &results->items[(results->command_count - 1) * results->names.count + host];
}

const char *spk_remote_output(const struct spk_remote_results *results)
{
	CHECK_HANDLE(results, RESULTS_MAGIC);
	if (results->names.count != 1)
		spk_raise(results->spk, "remote.result", NULL,
			  "the output of one host was asked for, and there are %zu: %s",
			  results->names.count, spk_hosts_fold(results->hosts));
	return trimmed(results, last_of(results, 0));
}

const char *spk_remote_first_output(const struct spk_remote_results *results)
{
	CHECK_HANDLE(results, RESULTS_MAGIC);
	for (size_t i = 0; i < results->names.count; i++)
		if (succeeded(results, i, 0))
			return trimmed(results, last_of(results, i));
	spk_raise(results->spk, "remote.result", NULL,
		  "the output of a host was asked for, and none of them succeeded: %s",
		  spk_hosts_fold(results->hosts));
}

spk_strings spk_remote_outputs(const struct spk_remote_results *results)
{
	const char **items;
	size_t count = 0;

	CHECK_HANDLE(results, RESULTS_MAGIC);
	items = spk_alloc(results->spk, results->names.count * sizeof(*items));
	for (size_t i = 0; i < results->names.count; i++)
		if (last_of(results, i)->end != SPK_REMOTE_NOT_RUN)
			items[count++] = trimmed(results, last_of(results, i));
	return (spk_strings){items, count};
}
