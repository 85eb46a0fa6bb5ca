/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator is told of an execution: outputs on standard output, hosts with the same bytes
 * together; who failed, and the ratio of success, by the log.
 */
#include "remoterun.h"

#include <stdlib.h>
#include <string.h>

#include <spicerack/output.h>
#include <spicerack/session.h>
#include <spicerack/text.h>

#include "../runtime/hostset.h"
#include "../runtime/mem.h"
#include "remoteplan.h"

/* Of a set of hosts in a message. */
#define FOLD_MAX 1000
/* So many different failures are told of each command. */
#define FAILURES_MAX 20

const char *remote_fold(const struct remote_order *order, const size_t *numbers, size_t count)
{
	const char **names = xcalloc(count + 1, sizeof(*names));
	struct hostset *set = NULL;
	struct buf text = {0};
	const char *copy;
	struct err err;

	for (size_t i = 0; i < count; i++)
		names[i] = order->names.items[numbers[i]];
	if (hostset_of(names, count, &set, &err) == 0)
		hostset_fold(set, &text);
	hostset_free(set);
	free(names);
	copy = spk_format(order->spk, "%.*s%s", FOLD_MAX, buf_text(&text),
			  text.length > FOLD_MAX ? "..." : "");
	buf_free(&text);
	return copy;
}

void remote_report_start(const struct remote_order *order)
{
	const char *folded = spk_hosts_fold(order->hosts);
	size_t count = order->names.count;

	for (size_t i = 0; i < order->command_count; i++)
		spk_debug(order->spk, "command %zu of %zu: %.4000s", i + 1, order->command_count,
			  order->commands[i].text);
	spk_info(order->spk, "%s '%s'%s on %zu host%s: %.*s%s",
		 order->read_only ? "reading" : "running", order->commands[0].shown,
		 order->command_count > 1 ? " and more" : "", count, count == 1 ? "" : "s",
		 FOLD_MAX, folded, strlen(folded) > FOLD_MAX ? "..." : "");
}

/* ---- outputs ---- */

/* Hosts, by their numbers, that belong together. */
struct sorting {
	const struct remote_records *records;
	size_t command;
};

static int by_output(const void *first, const void *second, void *argument)
{
	const struct sorting *sorting = argument;
	size_t one = *(const size_t *)first, other = *(const size_t *)second;
	const struct remote_record *a = record_of(sorting->records, one, sorting->command);
	const struct remote_record *b = record_of(sorting->records, other, sorting->command);

	if (a->out != b->out)
		return (uintptr_t)a->out < (uintptr_t)b->out ? -1 : 1;
	if (a->err != b->err)
		return (uintptr_t)a->err < (uintptr_t)b->err ? -1 : 1;
	return one < other ? -1 : one > other;
}

static int by_failure(const void *first, const void *second, void *argument)
{
	const struct sorting *sorting = argument;
	size_t one = *(const size_t *)first, other = *(const size_t *)second;
	const struct remote_record *a = record_of(sorting->records, one, sorting->command);
	const struct remote_record *b = record_of(sorting->records, other, sorting->command);
	int order = strcmp(a->reason, b->reason);

	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	return order ? order : one < other ? -1 : one > other;
}

static bool same_output(const struct remote_record *a, const struct remote_record *b)
{
	return a->out == b->out && a->err == b->err;
}

static bool same_failure(const struct remote_record *a, const struct remote_record *b)
{
	return a->end == b->end && strcmp(a->reason, b->reason) == 0;
}

static void print_stream(const struct remote_order *order, const struct blob *blob,
			 const char *head, const char *shown, uint64_t total)
{
	struct lines lines = {0};
	struct buf text = {0};

	if (!blob)
		return;
	buf_printf(&text, "----- %s of '%s' -----\n", head, shown);
	lines_add(&lines, blob->bytes, blob->length, true, &text);
	lines_free(&lines);
	if (total > blob->length)
		buf_printf(&text, "[%zu of %llu bytes were kept]\n", blob->length,
			   (unsigned long long)total);
	/* Without the last newline, which spk_print() adds. */
	spk_print(order->spk, "%.*s", (int)(text.length - 1), text.text);
	buf_free(&text);
}

static void print_group(const struct sorting *sorting, const size_t *hosts, size_t count)
{
	const struct remote_order *order = sorting->records->order;
	const struct remote_record *record = record_of(sorting->records, hosts[0],
						       sorting->command);
	const char *shown = order->commands[sorting->command].shown;

	spk_print(order->spk, "===== NODE GROUP =====\n(%zu) %s", count,
		  remote_fold(order, hosts, count));
	print_stream(order, record->out, "OUTPUT", shown, record->out_total);
	print_stream(order, record->err, "ERRORS", shown, record->err_total);
}

static size_t next_group(const struct sorting *sorting, const size_t *hosts, size_t at,
			 size_t count,
			 bool (*same)(const struct remote_record *a, const struct remote_record *b))
{
	const struct remote_record *first = record_of(sorting->records, hosts[at],
						      sorting->command);
	size_t next = at + 1;

	while (next < count &&
	       same(first, record_of(sorting->records, hosts[next], sorting->command)))
		next++;
	return next;
}

static void print_outputs(const struct sorting *sorting, size_t *hosts, size_t count)
{
	const struct remote_order *order = sorting->records->order;
	bool any = false;

	qsort_r(hosts, count, sizeof(*hosts), by_output, (void *)(uintptr_t)sorting);
	for (size_t at = 0, next; at < count; at = next) {
		const struct remote_record *record = record_of(sorting->records, hosts[at],
							       sorting->command);

		next = next_group(sorting, hosts, at, count, same_output);
		if (!record->out && !record->err)
			continue;
		print_group(sorting, hosts + at, next - at);
		any = true;
	}
	spk_print(order->spk, any ? "================" : "===== NO OUTPUT =====");
}

/* ---- failures ---- */

static void tell_failures(const struct sorting *sorting, size_t *hosts, size_t count)
{
	const struct remote_order *order = sorting->records->order;
	size_t told = 0;

	qsort_r(hosts, count, sizeof(*hosts), by_failure, (void *)(uintptr_t)sorting);
	for (size_t at = 0, next; at < count; at = next) {
		const struct remote_record *record = record_of(sorting->records, hosts[at],
							       sorting->command);

		if (told++ == FAILURES_MAX) {
			spk_error(order->spk, "%zu more hosts failed in other ways", count - at);
			return;
		}
		next = next_group(sorting, hosts, at, count, same_failure);
		spk_error(order->spk, "%.1f%% (%zu/%zu) of hosts failed to run '%s': %s: %s",
			  plan_percent(next - at, order->names.count), next - at,
			  order->names.count, order->commands[sorting->command].shown,
			  record->reason, remote_fold(order, hosts + at, next - at));
	}
}

void remote_report_command(const struct remote_records *records, size_t command)
{
	const struct remote_order *order = records->order;
	const struct sorting sorting = {records, command};
	size_t *ran = spk_alloc(order->spk, order->names.count * sizeof(*ran)), count = 0;
	size_t *bad = spk_alloc(order->spk, order->names.count * sizeof(*bad)), failed = 0;

	for (size_t i = 0; i < order->names.count; i++) {
		const struct remote_record *record = record_of(records, i, command);

		if (record->end != SPK_REMOTE_NOT_RUN)
			ran[count++] = i;
		if (record->end > SPK_REMOTE_OK)
			bad[failed++] = i;
	}
	if (order->show_output && order->names.count > 1 && count > 0)
		print_outputs(&sorting, ran, count);
	tell_failures(&sorting, bad, failed);
}

void remote_report_ratio(const struct remote_order *order, size_t command, size_t ok)
{
	size_t all = order->names.count;
	enum spk_level level = SPK_INFO;
	bool met = ok >= order->needed;
	double needed = plan_percent(order->needed, all);

	if (ok == all && (all == 1 || !order->show_progress))
		level = SPK_DEBUG;
	else if (!met)
		level = SPK_ERROR;
	else if (ok < all)
		level = SPK_WARNING;
	spk_log(order->spk, level, __FILE__, __LINE__, __func__,
		"%.1f%% (%zu/%zu) success ratio (%s %.1f%% (%zu/%zu) threshold) of '%s'%s",
		plan_percent(ok, all), ok, all, met ? ">=" : "<", needed, order->needed, all,
		order->commands[command].shown,
		met || order->spk->order.dry_run ? "" : ", aborting");
}

void remote_report_interrupted(const struct remote_records *records, size_t phase)
{
	const struct remote_order *order = records->order;
	size_t last = order->command_count - 1, ok = 0;

	for (size_t i = order->async ? 0 : phase; i <= (order->async ? last : phase); i++)
		remote_report_command(records, i);
	for (size_t i = 0; i < order->names.count; i++)
		ok += record_of(records, i, last)->end == SPK_REMOTE_OK;
	spk_warn(order->spk, "it was broken off when %.1f%% (%zu/%zu) of hosts had done all of it",
		 plan_percent(ok, order->names.count), ok, order->names.count);
}
