/* SPDX-License-Identifier: Apache-2.0 */
#include "lockview.h"

#include <string.h>

#include "../../runtime/jsontext.h"
#include "../../runtime/printable.h"
#include "locktext.h"

#define SECOND_NS 1000000000LL

/* The part of a list that is about one key: entries of a key stand together. */
static struct lock_list one_key(const struct lock_list *list, size_t first)
{
	size_t end = first + 1;

	while (end < list->count && strcmp(list->entries[end].key, list->entries[first].key) == 0)
		end++;
	return (struct lock_list){.entries = list->entries + first, .count = end - first};
}

static void put_text(const char *text, struct buf *out)
{
	printable_add(out, text, strlen(text));
}

/* `2d3h`, `5m10s`, `12s`: two units are enough to see. */
static void put_age(int64_t ns, struct buf *out)
{
	static const struct {
		int64_t seconds;
		char letter;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	int64_t left = ns > 0 ? ns / SECOND_NS : 0;
	int shown = 0;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && shown < 2; i++) {
		int64_t count = left / units[i].seconds;

		if (count == 0 && shown == 0 && units[i].seconds > 1)
			continue;
		buf_printf(out, "%lld%c", (long long)count, units[i].letter);
		left %= units[i].seconds;
		shown++;
	}
}

static int64_t age_of(const struct spk_lock_entry *entry, int64_t now_ns)
{
	int64_t age;

	return __builtin_sub_overflow(now_ns, entry->created_ns, &age) ? 0 : age;
}

static void view_entry(const struct spk_lock_entry *entry, int64_t now_ns, struct buf *out)
{
	buf_puts(out, "    ");
	if (entry->place > 0)
		buf_printf(out, "waits, place %u: ", entry->place);
	else if (lock_is_freeze(entry))
		buf_puts(out, "on hold: ");
	put_text(entry->owner, out);
	if (entry->cookbook) {
		buf_puts(out, " for ");
		put_text(entry->cookbook, out);
	}
	buf_puts(out, " since ");
	lock_text_time(entry->created_ns, out);
	buf_puts(out, " (");
	put_age(age_of(entry, now_ns), out);
	buf_puts(out, " ago)");
	if (lock_is_freeze(entry)) {
		buf_puts(out, ", until ");
		lock_text_time(lock_entry_end(entry), out);
		buf_puts(out, ", reason: ");
		put_text(entry->reason, out);
	} else {
		buf_printf(out, ", concurrency %d, ttl %lld s%s", entry->concurrency,
			   (long long)(entry->ttl_ns / SECOND_NS),
			   entry->place == 0 && lock_entry_end(entry) < now_ns ? " (passed)" : "");
	}
	buf_puts(out, ", id ");
	put_text(entry->id, out);
	buf_putc(out, '\n');
}

void lock_view_text(const struct lock_list *list, int64_t now_ns, struct buf *out)
{
	for (size_t first = 0; first < list->count;) {
		struct lock_list key = one_key(list, first);
		int32_t limit = lock_list_limit(&key, 0);

		put_text(key.entries[0].key, out);
		if (limit)
			buf_printf(out, " (%zu of %d)\n", lock_list_holders(&key), limit);
		else
			buf_printf(out, " (%zu)\n", lock_list_holders(&key));
		for (size_t i = 0; i < key.count; i++)
			view_entry(&key.entries[i], now_ns, out);
		first += key.count;
	}
}

/* ---- JSON ---- */

static void json_time(const char *name, int64_t realtime_ns, struct buf *out)
{
	buf_printf(out, "\"%s\": \"", name);
	lock_text_time(realtime_ns, out);
	buf_puts(out, "+00:00\"");
}

/* `PID` of `user@host [PID]`; 0 where there is none. */
static long pid_of(const char *owner)
{
	const char *bracket = strrchr(owner, '[');
	long pid = 0;

	for (const char *at = bracket ? bracket + 1 : "";
	     *at >= '0' && *at <= '9' && pid < 1L << 40; at++)
		pid = pid * 10 + (*at - '0');
	return pid;
}

static void json_entry(const struct spk_lock_entry *entry, int64_t now_ns, struct buf *out)
{
	buf_puts(out, "{");
	json_put_member(out, "id", entry->id);
	buf_printf(out, ", \"state\": \"%s\", \"place\": %u, ",
		   lock_is_freeze(entry) ? "hold"
		   : entry->place == 0   ? "held"
					 : "waiting",
		   entry->place);
	json_put_member(out, "owner", entry->owner);
	buf_printf(out, ", \"pid\": %ld, ", pid_of(entry->owner));
	json_put_member(out, "cookbook", entry->cookbook);
	buf_puts(out, ", ");
	json_time("since", entry->created_ns, out);
	buf_printf(out, ", \"age\": %.3f, \"ttl\": %.3f, \"concurrency\": %d, \"fence\": %llu, ",
		   (double)age_of(entry, now_ns) / 1e9, (double)entry->ttl_ns / 1e9,
		   entry->concurrency, (unsigned long long)entry->fence);
	json_put_member(out, "reason", entry->reason);
	buf_puts(out, "}");
}

void lock_view_json(const struct lock_list *list, int64_t now_ns, struct buf *out)
{
	buf_puts(out, "[");
	for (size_t first = 0; first < list->count;) {
		struct lock_list key = one_key(list, first);

		buf_puts(out, first ? ",\n {" : "\n {");
		json_put_member(out, "key", key.entries[0].key);
		buf_printf(out, ", \"used\": %zu, \"allowed\": %d, \"entries\": [",
			   lock_list_holders(&key), lock_list_limit(&key, 0));
		for (size_t i = 0; i < key.count; i++) {
			buf_puts(out, i ? ",\n  " : "\n  ");
			json_entry(&key.entries[i], now_ns, out);
		}
		buf_puts(out, "\n ]}");
		first += key.count;
	}
	buf_puts(out, list->count ? "\n]\n" : "]\n");
}
