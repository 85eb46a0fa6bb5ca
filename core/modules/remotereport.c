/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator is told of an execution: outputs on standard output, hosts with the same bytes
 * together; who failed, and the ratio of success, by the log.
 */
#include "remoterun.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <spicerack/output.h>
#include <spicerack/session.h>
#include <spicerack/text.h>

#include "../runtime/hostset.h"
#include "../runtime/mem.h"
#include "remoteplan.h"

/* Of all hosts, when it begins; the journal has them, too. */
#define ALL_MAX 1000
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
	copy = spk_format(order->spk, "%s", buf_text(&text));
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
		 order->command_count > 1 ? " and more" : "", count, count == 1 ? "" : "s", ALL_MAX,
		 folded, strlen(folded) > ALL_MAX ? "..." : "");
}

/* ---- hosts that belong together ---- */

struct sorting {
	const struct remote_records *records;
	size_t command;
};

/* Hosts, by their numbers. */
struct group {
	const size_t *hosts;
	size_t count;
};

typedef int compare_hosts(const struct sorting *sorting, size_t one, size_t other);

struct comparing {
	const struct sorting *sorting;
	compare_hosts *compare;
};

static const struct remote_record *record_at(const struct sorting *sorting, size_t host)
{
	return record_of(sorting->records, host, sorting->command);
}

static int by_group(const void *first, const void *second, void *argument)
{
	const struct comparing *comparing = argument;
	size_t one = *(const size_t *)first, other = *(const size_t *)second;
	int order = comparing->compare(comparing->sorting, one, other);

	return order ? order : one < other ? -1 : one > other;
}

/* Large ones first. */
static int by_size(const void *first, const void *second)
{
	const struct group *one = first, *other = second;

	if (one->count != other->count)
		return one->count > other->count ? -1 : 1;
	return one->hosts[0] < other->hosts[0] ? -1 : 1;
}

/* Puts the hosts in order, those together that compare equal. */
static size_t make_groups(const struct sorting *sorting, compare_hosts *compare, size_t *hosts,
			  size_t count, struct group **ret_groups)
{
	struct comparing comparing = {sorting, compare};
	struct group *groups = spk_alloc(sorting->records->order->spk, count * sizeof(*groups));
	size_t made = 0;

	qsort_r(hosts, count, sizeof(*hosts), by_group, &comparing);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || compare(sorting, hosts[i - 1], hosts[i]) != 0)
			groups[made++].hosts = hosts + i;
		groups[made - 1].count++;
	}
	qsort(groups, made, sizeof(*groups), by_size);
	*ret_groups = groups;
	return made;
}

/* ---- outputs ---- */

static int compare_places(const void *one, const void *other)
{
	return (uintptr_t)one < (uintptr_t)other ? -1 : (uintptr_t)one > (uintptr_t)other;
}

static int by_output(const struct sorting *sorting, size_t one, size_t other)
{
	const struct remote_record *a = record_at(sorting, one), *b = record_at(sorting, other);
	int order = compare_places(a->out, b->out);

	return order ? order : compare_places(a->err, b->err);
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

static void print_group(const struct sorting *sorting, const struct group *group)
{
	const struct remote_order *order = sorting->records->order;
	const struct remote_record *record = record_at(sorting, group->hosts[0]);
	const char *shown = order->commands[sorting->command].shown;

	spk_print(order->spk, "===== NODE GROUP =====\n(%zu) %s", group->count,
		  remote_fold(order, group->hosts, group->count));
	print_stream(order, record->out, "OUTPUT", shown, record->out_total);
	print_stream(order, record->err, "ERRORS", shown, record->err_total);
}

static void print_outputs(const struct sorting *sorting, size_t *hosts, size_t count)
{
	const struct remote_order *order = sorting->records->order;
	struct group *groups;
	size_t all = make_groups(sorting, by_output, hosts, count, &groups);
	bool any = false;

	for (size_t i = 0; i < all; i++) {
		const struct remote_record *record = record_at(sorting, groups[i].hosts[0]);

		if (!record->out && !record->err)
			continue;
		print_group(sorting, &groups[i]);
		any = true;
	}
	spk_print(order->spk, any ? "================" : "===== NO OUTPUT =====");
}

/* ---- failures ---- */

/* A reason without the name of its host, which stands in most, and is different in all. */
struct reason {
	const char *text, *at, *name;
	size_t name_length;
};

/* What stands for the name. */
#define NAME (-1)
#define NAME_SHOWN "HOST"

static struct reason reason_of(const struct sorting *sorting, size_t host)
{
	const char *text = record_at(sorting, host)->reason;
	const char *name = sorting->records->order->names.items[host];

	return (struct reason){text, text, name, strlen(name)};
}

static bool is_within_name(char character)
{
	return isalnum((unsigned char)character) || character == '-' || character == '_';
}

static bool is_at_name(const struct reason *reason)
{
	const char *at = reason->at;

	return strncasecmp(at, reason->name, reason->name_length) == 0 &&
	       !is_within_name(at[reason->name_length]) &&
	       (at == reason->text || (!is_within_name(at[-1]) && at[-1] != '.'));
}

/* The next character, NAME, or 0 at the end. */
static int next_of(struct reason *reason)
{
	if (!is_at_name(reason))
		return *reason->at ? (unsigned char)*reason->at++ : 0;
	reason->at += reason->name_length;
	return NAME;
}

static int by_failure(const struct sorting *sorting, size_t one, size_t other)
{
	const struct remote_record *a = record_at(sorting, one), *b = record_at(sorting, other);
	struct reason first = reason_of(sorting, one), second = reason_of(sorting, other);
	int left, right;

	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	do {
		left = next_of(&first);
		right = next_of(&second);
	} while (left == right && left != 0);
	return left < right ? -1 : left > right;
}

/* The reason of all hosts of the group. */
static void put_reason(const struct sorting *sorting, const struct group *group, struct buf *out)
{
	struct reason reason = reason_of(sorting, group->hosts[0]);
	int next;

	if (group->count == 1) {
		buf_puts(out, reason.text);
		return;
	}
	while ((next = next_of(&reason)) != 0) {
		if (next == NAME)
			buf_puts(out, NAME_SHOWN);
		else
			buf_putc(out, (char)next);
	}
}

static void tell_failure(const struct sorting *sorting, const struct group *group)
{
	const struct remote_order *order = sorting->records->order;
	size_t all = order->names.count;
	struct buf reason = {0};

	put_reason(sorting, group, &reason);
	spk_error(order->spk, "%.1f%% (%zu/%zu) of hosts failed to run '%s': %s: %s",
		  plan_percent(group->count, all), group->count, all,
		  order->commands[sorting->command].shown, buf_text(&reason),
		  remote_fold(order, group->hosts, group->count));
	buf_free(&reason);
}

/* Those of the groups, whose failures are not told. */
static void tell_others(const struct remote_order *order, const struct group *groups, size_t count)
{
	size_t *hosts = spk_alloc(order->spk, order->names.count * sizeof(*hosts)), all = 0;

	for (size_t i = 0; i < count; i++) {
		memcpy(hosts + all, groups[i].hosts, groups[i].count * sizeof(*hosts));
		all += groups[i].count;
	}
	spk_error(order->spk, "%zu more host%s failed in other ways: %s", all, all == 1 ? "" : "s",
		  remote_fold(order, hosts, all));
}

static void tell_failures(const struct sorting *sorting, size_t *hosts, size_t count)
{
	struct group *groups;
	size_t all = make_groups(sorting, by_failure, hosts, count, &groups);
	size_t told = all < FAILURES_MAX ? all : FAILURES_MAX;

	for (size_t i = 0; i < told; i++)
		tell_failure(sorting, &groups[i]);
	if (told < all)
		tell_others(sorting->records->order, groups + told, all - told);
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
