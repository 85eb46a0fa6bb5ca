/* SPDX-License-Identifier: Apache-2.0 */
#include "wire3.h"

#include <inttypes.h>
#include <string.h>

#include "../base/memory.h"
#include "settings.h"

#define TTL_MAX_SECONDS ((int64_t)10 * 366 * 86400)

void wire3_add_key(struct text *text, const char *key, const char *id)
{
	text_printf(text, "%s%s/%s", WIRE3_BASE, key + strlen(LOCKS_BASE), id ? id : "");
}

void wire3_add_value(struct text *text, const struct spk_lock_entry *entry, uint64_t in_until)
{
	cJSON *value = cJSON_CreateObject();
	char created[STAMP_SIZE];
	struct text digits = {0};
	char *printed;

	stamp_write(entry->created_ns, created);
	cJSON_AddStringToObject(value, "owner", entry->owner);
	cJSON_AddStringToObject(value, "created", created);
	cJSON_AddNumberToObject(value, "ttl", (double)whole_seconds(entry->ttl_ns));
	cJSON_AddNumberToObject(value, "concurrency", entry->concurrency);
	if (entry->cookbook)
		cJSON_AddStringToObject(value, "cookbook", entry->cookbook);
	if (entry->reason) {
		cJSON_AddStringToObject(value, "reason", entry->reason);
		text_printf(&digits, "%" PRIu64, in_until);
		cJSON_AddStringToObject(value, "in_until", digits.bytes);
		text_free(&digits);
	}
	printed = cJSON_PrintUnformatted(value);
	text_puts(text, printed);
	memory_free(printed);
	cJSON_Delete(value);
}

static char *copy_member(const cJSON *value, const char *name)
{
	const char *text = json_text(value, name);

	return text ? memory_copy(text) : NULL;
}

/* Why the value is not one of ours; NULL when it is, the entry then being filled in. */
static const char *read_value(const cJSON *value, struct entry *entry)
{
	const char *created = json_text(value, "created");
	int64_t ttl = 0, concurrency = 0;

	if (!cJSON_IsObject(value))
		return "its value is not JSON";
	if (!json_text(value, "owner"))
		return "it has no 'owner'";
	if (!created || !stamp_read(created, &entry->created_ns))
		return "'created' is no time";
	if (!json_number(value, "ttl", &ttl) || ttl <= 0 || ttl > TTL_MAX_SECONDS)
		return "'ttl' is not a number of seconds";
	if (!json_number(value, "concurrency", &concurrency) || concurrency < 0 ||
	    concurrency > INT32_MAX)
		return "'concurrency' is not a number";
	if (!json_unsigned(value, "in_until", &entry->in_until))
		return "'in_until' is not a number";
	entry->ttl_ns = ttl * NS_PER_SECOND;
	entry->concurrency = (int32_t)concurrency;
	entry->owner = copy_member(value, "owner");
	entry->cookbook = copy_member(value, "cookbook");
	entry->reason = copy_member(value, "reason");
	return NULL;
}

bool wire3_read(const cJSON *kv, struct entries *entries)
{
	struct text key = {0}, bytes = {0};
	const char *rest, *id, *wrong;
	struct entry *entry;
	cJSON *value;
	bool ours = false;

	if (!json_bytes(kv, "key", &key) || !key.length || strlen(key.bytes) != key.length ||
	    strncmp(key.bytes, WIRE3_BASE, strlen(WIRE3_BASE)) != 0)
		goto out;
	ours = true;
	rest = key.bytes + strlen(WIRE3_BASE);
	id = strrchr(rest, '/');
	entry = entries_add(entries);
	entry->id = memory_copy(id ? id + 1 : rest);
	text_add(&bytes, LOCKS_BASE, strlen(LOCKS_BASE));
	text_add(&bytes, rest, id ? (size_t)(id - rest) : 0);
	entry->key = memory_copy(bytes.bytes);
	if (!id) {
		entry->wrong = memory_copy("it stands where no lock is");
		goto out;
	}
	text_clear(&bytes);
	if (!json_bytes(kv, "value", &bytes) ||
	    !json_unsigned(kv, "create_revision", &entry->revision) ||
	    !json_number(kv, "lease", &entry->lease)) {
		entry->wrong = memory_copy("the answer about it is damaged");
		goto out;
	}
	value = json_parse(bytes.bytes, bytes.length);
	wrong = read_value(value, entry);
	if (wrong)
		entry->wrong = memory_copy(wrong);
	cJSON_Delete(value);
out:
	text_free(&key);
	text_free(&bytes);
	return ours;
}
