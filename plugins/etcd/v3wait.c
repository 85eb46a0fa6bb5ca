/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting by API 3: the queue is read once and then followed by a watch. Whoever waits makes no
 * request when others come and go; only those in front of it can leave, so that it can tell by
 * itself when it is in.
 */
#include "v3.h"

#include <inttypes.h>
#include <string.h>

#include "../base/memory.h"

/* So often the queue is read although the watch says nothing: its member may be cut off. */
#define READ_EVERY_NS (10 * NS_PER_SECOND)
/* A watch that is cut at once is not opened again at once. */
#define CUT_PAUSE_NS (NS_PER_SECOND / 5)

uint64_t v3_sum_queue(const struct lock *lock)
{
	size_t index = entries_find(&lock->queue, lock->id);
	uint64_t sum = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < lock->queue.count; i++) {
		if (i < index || lock->queue.items[i].reason)
			sum = (sum ^ lock->queue.items[i].revision) * UINT64_C(1099511628211);
	}
	return sum;
}

static void stop_watch(struct lock *lock)
{
	http_stream_close(lock->watch);
	lock->watch = NULL;
}

static void start_watch(struct v3 *v3, struct lock *lock)
{
	struct text body = {0};

	text_puts(&body, "{\"create_request\":{");
	v3_add_range(&body, lock->key);
	text_printf(&body, ",\"start_revision\":\"%" PRIu64 "\"}}", lock->seen + 1);
	lock->watch = client_stream(v3->store.client, "/v3/watch", body.bytes);
	text_free(&body);
}

/* False when the event makes no sense. */
static bool apply(struct lock *lock, const cJSON *event)
{
	const cJSON *kv = json_object(event, "kv");
	const char *type = json_text(event, "type");
	struct entries changed = {0};
	uint64_t revision;
	size_t index;

	if (!kv || !json_unsigned(kv, "mod_revision", &revision) || !wire3_read(kv, &changed))
		return false;
	if (revision <= lock->seen) {
		entries_free(&changed);
		return true;
	}
	index = entries_find(&lock->queue, changed.items[0].id);
	if (index < lock->queue.count)
		entries_remove(&lock->queue, index);
	if (!type || strcmp(type, "PUT") == 0) {
		*entries_add(&lock->queue) = changed.items[0];
		changed.count = 0;
		entries_sort(&lock->queue);
	}
	entries_free(&changed);
	return true;
}

enum spk_lock_status v3_follow(struct lock *lock, const cJSON *json, struct spk_lock_call *call)
{
	const cJSON *result = json_object(json, "result"), *event;
	uint64_t newest = lock->seen, revision = 0;

	if (!result || cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(result, "canceled"))) {
		reason_set(&call->reason, "%s: etcd ended the watch", lock->key);
		return SPK_LOCK_UNREACHABLE;
	}
	cJSON_ArrayForEach(event, json_array(result, "events"))
	{
		if (!apply(lock, event)) {
			reason_set(&call->reason, "%s: etcd's watch makes no sense", lock->key);
			return SPK_LOCK_UNREACHABLE;
		}
		if (json_unsigned(json_object(event, "kv"), "mod_revision", &revision) &&
		    revision > newest)
			newest = revision;
	}
	lock->seen = newest;
	return SPK_LOCK_OK;
}

/* Reads the queue, because there is no watch, or none that can be trusted to be alive. */
static enum spk_lock_status read_again(struct v3 *v3, struct lock *lock, struct spk_lock_call *call)
{
	uint64_t before = v3_sum_queue(lock);
	bool watched = lock->watch != NULL;
	enum spk_lock_status status = v3_read(v3, lock, call);

	if (status != SPK_LOCK_OK)
		stop_watch(lock);
	/* It did not tell: somewhere else it may be told. */
	if (watched && before != v3_sum_queue(lock))
		stop_watch(lock);
	return status;
}

/*
 * The entry is gone. With the lease, while nothing is held: whoever waits (and slept, or was cut
 * off) stands in line again, at the end. By an operator's hand: LOST.
 */
static enum spk_lock_status line_up(struct v3 *v3, struct lock *lock, struct spk_lock_entry *entry,
				    struct spk_lock_call *call)
{
	struct client_answer answer;
	enum spk_lock_status status;
	struct text body = {0};
	int64_t ttl = -1;

	stop_watch(lock);
	if (v3->lease) {
		text_printf(&body, "{\"ID\":\"%" PRId64 "\"}", v3->lease);
		status = v3_post(v3, "/v3/lease/timetolive", body.bytes, &answer, call);
		if (status == SPK_LOCK_OK && !json_number(answer.json, "TTL", &ttl))
			ttl = -1;
		client_answer_free(&answer);
		text_free(&body);
		if (status != SPK_LOCK_OK)
			return status;
	}
	if (ttl > 0 || v3_holds_any(v3)) {
		reason_set(&call->reason, "%s: it waited, and somebody has removed it", lock->key);
		return SPK_LOCK_LOST;
	}
	v3->lease = 0;
	entry->created_ns = store_realtime();
	return v3_put(v3, lock, entry, call);
}

/*
 * What the queue means for the entry. In, by what we know: that counts while the lease does, and
 * where there is none any more the entry is gone, too.
 */
static enum spk_lock_status look(struct v3 *v3, struct lock *lock, struct spk_lock_entry *entry,
				 struct spk_lock_call *call)
{
	enum spk_lock_status status = v3_judge_queue(lock, entry, call);
	int64_t until, next;

	if (status == SPK_LOCK_OK && v3->lease && http_now() >= v3->next) {
		lock->holds = false;
		status = v3_renew(v3, &until, &next, call);
		lock->holds = status == SPK_LOCK_OK;
	}
	if (status == SPK_LOCK_OK && !v3->lease) {
		lock->holds = false;
		status = SPK_LOCK_LOST;
	}
	if (status == SPK_LOCK_LOST) {
		status = line_up(v3, lock, entry, call);
		if (status == SPK_LOCK_OK)
			status = v3_judge_queue(lock, entry, call);
	}
	return status;
}

enum spk_lock_status v3_wait(void *store, struct spk_lock_entry *entry, spk_lock_visitor *visitor,
			     void *data, struct spk_lock_call *call)
{
	struct v3 *v3 = store;
	struct lock *lock = v3_find(v3, entry->key, entry->id);
	enum spk_lock_status status;
	int64_t until;
	cJSON *json;

	if (!lock) {
		reason_set(&call->reason, "%s: %s does not wait", entry->key, entry->id);
		return SPK_LOCK_MISSING;
	}
	for (;;) {
		status = look(v3, lock, entry, call);
		if (status == SPK_LOCK_WAITING && lock->shown != v3_sum_queue(lock)) {
			lock->shown = v3_sum_queue(lock);
			v3_show_queue(lock, visitor, data);
			return status;
		}
		if (status != SPK_LOCK_WAITING)
			break;
		if (!lock->watch)
			start_watch(v3, lock);
		until = lock->read_at + READ_EVERY_NS;
		if (until > call->deadline_ns)
			until = call->deadline_ns;
		status = client_stream_next(v3->store.client, lock->watch, &json, until, call);
		if (status == SPK_LOCK_OK)
			status = v3_follow(lock, json, call);
		cJSON_Delete(json);
		if (status == SPK_LOCK_CANCELLED)
			return status;
		if (status == SPK_LOCK_TIMEOUT && http_now() >= call->deadline_ns)
			return status;
		if (status == SPK_LOCK_UNREACHABLE) {
			stop_watch(lock);
			status = client_sleep(v3->store.client, http_now() + CUT_PAUSE_NS, call);
			if (status != SPK_LOCK_OK)
				return status;
			status = SPK_LOCK_UNREACHABLE;
		}
		if (status != SPK_LOCK_OK) {
			status = read_again(v3, lock, call);
			if (status != SPK_LOCK_OK)
				return status;
		}
	}
	stop_watch(lock);
	if (status == SPK_LOCK_LOST)
		v3_forget(v3, lock);
	return status;
}
