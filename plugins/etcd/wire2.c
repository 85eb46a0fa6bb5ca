/* SPDX-License-Identifier: Apache-2.0 */
#include "wire2.h"

#include <string.h>

#include "../base/memory.h"
#include "settings.h"
#include "store.h"

/* What stands between owner and reason of a freeze: the Python host shows it as an owner. */
#define FROZEN " frozen: "
#define TTL_MAX_SECONDS ((int64_t)10 * 366 * 86400)
/* Clocks of hosts differ, but not by more than this. */
#define CLOCKS_DIFFER_NS (300 * NS_PER_SECOND)
#define ENTRIES_MAX 10000

static bool is_known(const char *name)
{
	static const char *const names[] = {"concurrency", "created", "owner", "ttl"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* The text that makes a freeze of an owner, NULL for any other. */
static const char *reason_in(const char *owner)
{
	const char *found = strstr(owner, "]" FROZEN);

	return found ? found + strlen("]" FROZEN) : NULL;
}

/* Why it is no entry; NULL when it is, and is filled in. */
static const char *read_entry(const cJSON *item, struct entry *entry)
{
	const char *owner = json_text(item, "owner"), *created = json_text(item, "created");
	int64_t ttl, concurrency;
	const cJSON *member;

	if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) != 4)
		return "is not an object of four members";
	cJSON_ArrayForEach(member, item)
	{
		if (!is_known(member->string))
			return "has a member that no host knows";
	}
	if (!owner)
		return "has no owner";
	if (!created || !stamp_read(created, &entry->created_ns))
		return "was created at no time with an offset";
	if (entry->created_ns > store_realtime() + CLOCKS_DIFFER_NS)
		return "was created in the future: check the clocks";
	if (!cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(item, "ttl")) ||
	    !json_number(item, "ttl", &ttl) || ttl <= 0 || ttl > TTL_MAX_SECONDS)
		return "has an absurd ttl";
	if (!cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(item, "concurrency")) ||
	    !json_number(item, "concurrency", &concurrency) || concurrency > INT32_MAX)
		return "has an absurd concurrency";
	entry->owner = memory_copy(owner);
	if (reason_in(owner)) {
		entry->reason = memory_copy(reason_in(owner));
		entry->owner[strlen(owner) - strlen(entry->reason) - strlen(FROZEN)] = '\0';
	}
	entry->ttl_ns = ttl * NS_PER_SECOND;
	entry->concurrency = (int32_t)concurrency;
	return NULL;
}

int wire2_read(const char *key, const char *text, struct entries *entries, cJSON **ret_value,
	       struct spk_reason_buffer *reason)
{
	cJSON *value = json_parse(text, strlen(text));
	const cJSON *item;

	*ret_value = NULL;
	if (!cJSON_IsObject(value)) {
		reason_set(reason, "%.120s: its value is not a JSON object; nothing was changed",
			   key);
		goto bad;
	}
	if (cJSON_GetArraySize(value) > ENTRIES_MAX) {
		reason_set(reason, "%.120s: has more than %d entries", key, ENTRIES_MAX);
		goto bad;
	}
	cJSON_ArrayForEach(item, value)
	{
		struct entry *entry;
		const char *wrong;

		/* A name that comes twice would be lost by reading and writing. */
		if (cJSON_GetObjectItemCaseSensitive(value, item->string) != item) {
			reason_set(reason, "%.120s: has the entry %.40s twice; nothing was changed",
				   key, item->string);
			goto bad;
		}
		entry = entries_add(entries);
		entry->key = memory_copy(key);
		entry->id = memory_copy(item->string);
		wrong = read_entry(item, entry);
		if (wrong) {
			reason_set(reason, "%.120s: the entry %.40s %s; nothing was changed", key,
				   item->string, wrong);
			goto bad;
		}
	}
	*ret_value = value;
	return 0;
bad:
	entries_clear(entries);
	cJSON_Delete(value);
	return -1;
}

bool wire2_expired(const struct entry *entry, int64_t now)
{
	return entry->created_ns + entry->ttl_ns < now;
}

void wire2_set(cJSON *value, const struct spk_lock_entry *entry, int64_t ttl_ns)
{
	cJSON *item = cJSON_CreateObject();
	char created[STAMP_SIZE];
	struct text owner = {0};

	stamp_write(entry->created_ns, created);
	text_puts(&owner, entry->owner);
	if (entry->reason) {
		if (!owner.length || owner.bytes[owner.length - 1] != ']')
			text_puts(&owner, " []");
		text_puts(&owner, FROZEN);
		text_puts(&owner, entry->reason);
	}
	cJSON_AddNumberToObject(item, "concurrency", entry->concurrency);
	cJSON_AddStringToObject(item, "created", created);
	cJSON_AddStringToObject(item, "owner", owner.bytes);
	cJSON_AddNumberToObject(item, "ttl", (double)whole_seconds(ttl_ns));
	text_free(&owner);
	if (!cJSON_ReplaceItemInObjectCaseSensitive(value, entry->id, item))
		cJSON_AddItemToObject(value, entry->id, item);
}
