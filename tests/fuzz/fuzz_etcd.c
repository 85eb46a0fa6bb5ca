/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes from outside to the driver of etcd, by the first byte: its configuration, a value by
 * API 2, a queue and then a watch by API 3. Reasons are one line of ASCII; what is read and
 * written again reads as the same; the rule lets the first ones in and nobody else.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/etcd/v3.h"
#include "../../plugins/etcd/wire2.h"

#define EXPECT(true_)                                                                              \
	do {                                                                                       \
		if (!(true_))                                                                      \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_reason(const struct spk_reason_buffer *reason)
{
	EXPECT(reason->text[0] && strlen(reason->text) < sizeof(reason->text));
	for (const char *c = reason->text; *c; c++)
		EXPECT(*c >= ' ' && *c <= '~');
}

static void read_settings(const char *text, size_t length)
{
	struct spk_reason_buffer reason = {{0}};
	struct settings settings = {0};
	bool secret = false;

	if (settings_read_text("DIR/config", text, length, &settings, &secret, &reason) < 0) {
		expect_reason(&reason);
		EXPECT(strncmp(reason.text, "DIR/config:", 11) == 0);
	} else {
		EXPECT(!settings.password || secret);
		for (size_t i = 0; i < settings.hosts.count; i++)
			EXPECT(*settings.hosts.items[i].name &&
			       settings.hosts.items[i].port < 65536);
	}
	settings_free(&settings);
}

static void read_value(const char *text)
{
	struct spk_lock_entry added = {.id = "added", .owner = "a@b [1]", .ttl_ns = NS_PER_SECOND};
	struct entries before = {0}, after = {0};
	struct spk_reason_buffer reason = {{0}};
	cJSON *value, *again;
	char *printed;

	if (wire2_read("KEY", text, &before, &value, &reason) < 0) {
		expect_reason(&reason);
		EXPECT(!value && !before.count && strncmp(reason.text, "KEY:", 4) == 0);
		entries_free(&before);
		return;
	}
	wire2_set(value, &added, added.ttl_ns);
	printed = cJSON_PrintUnformatted(value);
	EXPECT(wire2_read("KEY", printed, &after, &again, &reason) == 0);
	EXPECT(entries_find(&after, "added") < after.count);
	for (size_t i = 0; i < before.count; i++) {
		const struct entry *a = &before.items[i];
		size_t at = entries_find(&after, a->id);

		if (strcmp(a->id, "added") == 0)
			continue;
		EXPECT(at < after.count && strcmp(after.items[at].owner, a->owner) == 0);
		EXPECT(after.items[at].created_ns == a->created_ns);
		EXPECT(after.items[at].ttl_ns == a->ttl_ns);
		EXPECT(after.items[at].concurrency == a->concurrency);
	}
	cJSON_free(printed);
	cJSON_Delete(value);
	cJSON_Delete(again);
	entries_free(&before);
	entries_free(&after);
}

static void see(void *data, const struct spk_lock_entry *entry)
{
	size_t *seen = data;

	EXPECT(entry->key && entry->id && entry->owner);
	(*seen)++;
}

static void judge(struct lock *lock)
{
	struct spk_lock_call call = {.cancel_fd = -1};
	size_t holders = entries_holders(&lock->queue), seen = 0, ordinary = 0;
	struct spk_lock_entry entry = {0};
	enum spk_lock_status status;

	for (size_t i = 0; i < lock->queue.count; i++)
		ordinary += !lock->queue.items[i].reason;
	EXPECT(holders <= ordinary);
	status = v3_judge_queue(lock, &entry, &call);
	if (status == SPK_LOCK_OK || status == SPK_LOCK_WAITING) {
		EXPECT((status == SPK_LOCK_OK) == (entry.place == 0));
		EXPECT(entry.place <= ordinary);
		v3_show_queue(lock, see, &seen);
		EXPECT(seen <= lock->queue.count);
	} else {
		expect_reason(&call.reason);
	}
	v3_sum_queue(lock);
}

/* Lines: the first is an answer with a queue, the others are of the watch. */
static void read_queue(char *text)
{
	char key[] = "KEY", id[] = "mine";
	struct lock lock = {.key = key, .id = id};
	struct spk_lock_call call = {.cancel_fd = -1};
	char *line = strsep(&text, "\n");
	cJSON *json = json_parse(line, strlen(line));

	if (v3_take_queue(json, 5, &lock.queue, &call) == SPK_LOCK_OK) {
		lock.seen = 5;
		judge(&lock);
		while ((line = strsep(&text, "\n"))) {
			cJSON *event = json_parse(line, strlen(line));

			if (v3_follow(&lock, event, &call) == SPK_LOCK_OK)
				judge(&lock);
			else
				expect_reason(&call.reason);
			cJSON_Delete(event);
		}
	} else {
		expect_reason(&call.reason);
	}
	cJSON_Delete(json);
	entries_free(&lock.queue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	json_init();
	if (!size)
		return 0;
	text = calloc(1, size);
	EXPECT(text);
	memcpy(text, data + 1, size - 1);
	if (data[0] == 's')
		read_settings(text, size - 1);
	else if (data[0] == 'v')
		read_value(text);
	else
		read_queue(text);
	free(text);
	return 0;
}
