/* SPDX-License-Identifier: Apache-2.0 */
#include "locktext.h"

#include <string.h>
#include <time.h>

#include "../../runtime/printable.h"

#define SECOND_NS 1000000000LL

void lock_text_time(int64_t realtime_ns, struct buf *out)
{
	int64_t fraction = realtime_ns % SECOND_NS;
	time_t seconds = realtime_ns / SECOND_NS - (fraction < 0);
	char text[64];
	struct tm utc;

	if (fraction < 0)
		fraction += SECOND_NS;
	if (!gmtime_r(&seconds, &utc) ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &utc) == 0) {
		buf_puts(out, "?");
		return;
	}
	buf_puts(out, text);
	if (fraction / 1000)
		buf_printf(out, ".%06lld", (long long)(fraction / 1000));
}

static void put_foreign(const char *text, struct buf *out)
{
	printable_add(out, text, strlen(text));
}

void lock_text_wanted(const struct spk_lock_entry *wanted, struct buf *out)
{
	buf_printf(out, "{'concurrency': %d, 'created': '", wanted->concurrency);
	lock_text_time(wanted->created_ns, out);
	buf_puts(out, "+00:00', 'owner': '");
	put_foreign(wanted->owner, out);
	buf_printf(out, "', 'ttl': %lld}", (long long)(wanted->ttl_ns / SECOND_NS));
}

static void put_head(const struct lock_list *others, const struct spk_lock_entry *wanted,
		     struct buf *out)
{
	int32_t limit = lock_list_limit(others, wanted->concurrency);
	size_t holders = lock_list_holders(others);

	if (lock_list_freeze(others))
		buf_puts(out, "An operator holds the key:");
	else if (limit > 0 && holders >= (size_t)limit)
		buf_printf(out,
			   "There are already %zu concurrent locks and the concurrency allowed is "
			   "%d:",
			   holders, limit);
	else
		buf_puts(out, "Others wait already:");
}

void lock_text_others(const struct lock_list *others, const struct spk_lock_entry *wanted,
		      struct buf *out)
{
	put_head(others, wanted, out);
	for (size_t i = 0; i < others->count; i++) {
		const struct spk_lock_entry *entry = &others->entries[i];

		buf_puts(out, "\n    ");
		lock_text_time(entry->created_ns, out);
		buf_puts(out, ": ");
		put_foreign(entry->owner, out);
		if (lock_is_freeze(entry)) {
			buf_puts(out, " until ");
			lock_text_time(lock_entry_end(entry), out);
			buf_puts(out, ": ");
			put_foreign(entry->reason, out);
		} else if (entry->place > 0) {
			buf_puts(out, " (waits)");
		}
	}
}

void lock_text_span(int64_t ns, struct buf *out)
{
	int64_t seconds = ns / SECOND_NS;

	if (seconds >= 60)
		buf_printf(out, "%lld min", (long long)(seconds / 60));
	else
		buf_printf(out, "%lld s", (long long)seconds);
}
