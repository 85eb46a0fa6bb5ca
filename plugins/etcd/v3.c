/* SPDX-License-Identifier: Apache-2.0 */
#include "v3.h"

#include <inttypes.h>
#include <string.h>

#include "../base/memory.h"

/* So often a freeze looks again while holders come and go. */
#define FREEZE_TRIES 20
/* Of one transaction; etcd takes 128. */
#define COMPARES_MAX 100

enum spk_lock_status v3_post(struct v3 *v3, const char *path, const char *body,
			     struct client_answer *answer, struct spk_lock_call *call)
{
	struct client_request request = {
		.method = "POST", .path = path, .type = CLIENT_JSON, .body = body};

	return client_do(v3->store.client, &request, answer, call);
}

/* Appends "key":"...","range_end":"..." for all that begins with `prefix`, which ends in '/'. */
static void add_prefix(struct text *text, const struct text *prefix)
{
	struct text end = {0};

	text_add(&end, prefix->bytes, prefix->length);
	end.bytes[end.length - 1]++;
	text_puts(text, "\"key\":\"");
	text_add_base64(text, prefix->bytes, prefix->length);
	text_puts(text, "\",\"range_end\":\"");
	text_add_base64(text, end.bytes, end.length);
	text_puts(text, "\"");
	text_free(&end);
}

void v3_add_range(struct text *text, const char *key)
{
	struct text prefix = {0};

	wire3_add_key(&prefix, key, NULL);
	add_prefix(text, &prefix);
	text_free(&prefix);
}

static void add_own_key(struct text *text, const char *key, const char *id)
{
	struct text name = {0};

	wire3_add_key(&name, key, id);
	text_puts(text, "\"key\":\"");
	text_add_base64(text, name.bytes, name.length);
	text_puts(text, "\"");
	text_free(&name);
}

enum spk_lock_status v3_take_queue(const cJSON *range, uint64_t revision, struct entries *entries,
				   struct spk_lock_call *call)
{
	const cJSON *kvs = cJSON_GetObjectItemCaseSensitive(range, "kvs"), *kv;

	entries_clear(entries);
	if (!cJSON_IsObject(range) || !revision || (kvs && !cJSON_IsArray(kvs))) {
		reason_set(&call->reason, "etcd's answer to a read makes no sense");
		return SPK_LOCK_UNREACHABLE;
	}
	cJSON_ArrayForEach(kv, kvs)
	{
		if (!wire3_read(kv, entries)) {
			reason_set(&call->reason, "etcd answers with keys that were not asked for");
			return SPK_LOCK_UNREACHABLE;
		}
	}
	entries_sort(entries);
	return SPK_LOCK_OK;
}

struct lock *v3_find(const struct v3 *v3, const char *key, const char *id)
{
	struct lock *lock = v3->locks;

	while (lock && (strcmp(lock->key, key) != 0 || strcmp(lock->id, id) != 0))
		lock = lock->next;
	return lock;
}

static struct lock *find_or_add(struct v3 *v3, const struct spk_lock_entry *entry)
{
	struct lock *lock = v3_find(v3, entry->key, entry->id);

	if (lock)
		return lock;
	lock = memory_new(1, sizeof(*lock));
	lock->key = memory_copy(entry->key);
	lock->id = memory_copy(entry->id);
	lock->next = v3->locks;
	v3->locks = lock;
	return lock;
}

void v3_forget(struct v3 *v3, struct lock *lock)
{
	struct lock **at = &v3->locks;

	while (*at != lock)
		at = &(*at)->next;
	*at = lock->next;
	http_stream_close(lock->watch);
	entries_free(&lock->queue);
	memory_free(lock->key);
	memory_free(lock->id);
	memory_free(lock);
}

static enum spk_lock_status refuse_value(const struct entry *entry, struct spk_lock_call *call)
{
	reason_set(&call->reason,
		   "%.100s: cannot read the entry %.64s: %s; remove it if nobody has it",
		   entry->key, entry->id, entry->wrong);
	return SPK_LOCK_REFUSED;
}

enum spk_lock_status v3_judge_queue(struct lock *lock, struct spk_lock_entry *entry,
				    struct spk_lock_call *call)
{
	const struct entries *queue = &lock->queue;
	size_t index = entries_find(queue, lock->id), holders = entries_holders(queue);
	size_t before = 0;

	if (index == queue->count) {
		reason_set(&call->reason, "%s: the entry is not in the queue any more", lock->key);
		return SPK_LOCK_LOST;
	}
	for (size_t i = 0; i < queue->count; i++) {
		if (queue->items[i].wrong && (i < index || queue->items[i].reason))
			return refuse_value(&queue->items[i], call);
		before += i < index && !queue->items[i].reason;
	}
	entry->created_ns = queue->items[index].created_ns;
	lock->holds = before < holders;
	entry->place = lock->holds ? 0 : (uint32_t)(before - holders + 1);
	entry->fence = lock->holds ? queue->items[index].revision : 0;
	return lock->holds ? SPK_LOCK_OK : SPK_LOCK_WAITING;
}

void v3_show_queue(struct lock *lock, spk_lock_visitor *visitor, void *data)
{
	size_t index = entries_find(&lock->queue, lock->id);
	struct entries shown = {.items = memory_new(lock->queue.count, sizeof(struct entry))};

	for (size_t i = 0; i < lock->queue.count; i++) {
		const struct entry *entry = &lock->queue.items[i];

		if (i < index || entry->reason)
			shown.items[shown.count++] = *entry;
	}
	entries_visit(&shown, 0, shown.count, visitor, data);
	memory_free(shown.items);
}

/* There is a lease that may be relied on. LOST when there was one, with something on it. */
static enum spk_lock_status need_lease(struct v3 *v3, struct spk_lock_call *call)
{
	int64_t until, next;

	if (v3->lease && http_now() >= v3->next && v3_holds_any(v3))
		return v3_renew(v3, &until, &next, call);
	if (v3->lease && http_now() < v3->until)
		return SPK_LOCK_OK;
	v3->lease = 0;
	return v3_grant(v3, client_settings(v3->store.client)->lease_ns, &v3->lease, &v3->until,
			&v3->next, call);
}

static void add_put(struct v3 *v3, struct text *body, const struct spk_lock_entry *entry)
{
	struct text value = {0};

	text_puts(body, "{\"compare\":[{\"target\":\"CREATE\",\"create_revision\":\"0\",");
	add_own_key(body, entry->key, entry->id);
	text_puts(body, "}],\"success\":[{\"request_put\":{");
	add_own_key(body, entry->key, entry->id);
	wire3_add_value(&value, entry, 0);
	text_puts(body, ",\"value\":\"");
	text_add_base64(body, value.bytes, value.length);
	text_printf(body, "\",\"lease\":\"%" PRId64 "\"}},{\"request_range\":{", v3->lease);
	v3_add_range(body, entry->key);
	/* There already: by a request whose answer was lost. */
	text_puts(body, "}}],\"failure\":[{\"request_range\":{");
	v3_add_range(body, entry->key);
	text_puts(body, "}}]}");
	text_free(&value);
}

/* The `response_range` of a transaction. */
static const cJSON *range_of(const cJSON *json)
{
	const cJSON *response, *found = NULL;

	cJSON_ArrayForEach(response, json_array(json, "responses"))
	{
		if (json_object(response, "response_range"))
			found = json_object(response, "response_range");
	}
	return found;
}

enum spk_lock_status v3_put(struct v3 *v3, struct lock *lock, const struct spk_lock_entry *entry,
			    struct spk_lock_call *call)
{
	struct client_answer answer = {0};
	enum spk_lock_status status = SPK_LOCK_OK;
	struct text body = {0};

	for (int i = 0; i < 2; i++) {
		status = need_lease(v3, call);
		if (status != SPK_LOCK_OK)
			goto out;
		text_clear(&body);
		add_put(v3, &body, entry);
		client_answer_free(&answer);
		status = v3_post(v3, "/v3/kv/txn", body.bytes, &answer, call);
		if (status != SPK_LOCK_OK || answer.code != CLIENT_NOT_FOUND)
			break;
		/* The lease has ended, before its time or while we slept. */
		if (v3_holds_any(v3)) {
			reason_set(&call->reason, "%s: the lease of this run has ended",
				   entry->key);
			status = SPK_LOCK_LOST;
			goto out;
		}
		v3->lease = 0;
	}
	if (status == SPK_LOCK_OK && answer.code) {
		reason_set(&call->reason, "%s: etcd gives leases that do not exist", entry->key);
		status = SPK_LOCK_UNREACHABLE;
	}
	if (status == SPK_LOCK_OK)
		json_unsigned(json_object(answer.json, "header"), "revision", &lock->seen);
	if (status == SPK_LOCK_OK)
		status = v3_take_queue(range_of(answer.json), lock->seen, &lock->queue, call);
	lock->read_at = answer.sent;
out:
	client_answer_free(&answer);
	text_free(&body);
	return status;
}

static enum spk_lock_status delete_entry(struct v3 *v3, const char *key, const char *id,
					 struct spk_lock_call *call)
{
	struct client_answer answer;
	enum spk_lock_status status;
	struct text body = {0};
	int64_t deleted = 0;

	text_puts(&body, "{");
	add_own_key(&body, key, id);
	text_puts(&body, "}");
	status = v3_post(v3, "/v3/kv/deleterange", body.bytes, &answer, call);
	if (status == SPK_LOCK_OK && json_number(answer.json, "deleted", &deleted) && !deleted &&
	    !answer.again) {
		reason_set(&call->reason, "%s: there is no entry %s", key, id);
		status = SPK_LOCK_MISSING;
	}
	client_answer_free(&answer);
	text_free(&body);
	return status;
}

/* Takes one of our entries out; with the last one goes the lease. */
static enum spk_lock_status drop(struct v3 *v3, struct lock *lock, struct spk_lock_call *call)
{
	bool last = v3->locks == lock && !lock->next, was_lost = lock->lost;
	enum spk_lock_status status;

	if (last && v3->lease && !was_lost) {
		status = v3_revoke(v3, v3->lease, call);
		if (status == SPK_LOCK_LOST)
			reason_set(&call->reason, "%s: the lease of this lock had ended before",
				   lock->key);
	} else {
		status = delete_entry(v3, lock->key, lock->id, call);
		if (status == SPK_LOCK_MISSING)
			status = SPK_LOCK_LOST;
	}
	if (status != SPK_LOCK_OK && status != SPK_LOCK_LOST)
		return status;
	if (last)
		v3->lease = 0;
	v3_forget(v3, lock);
	return was_lost ? SPK_LOCK_LOST : status;
}

static enum spk_lock_status enter(void *store, struct spk_lock_entry *entry,
				  spk_lock_visitor *visitor, void *data, struct spk_lock_call *call)
{
	struct v3 *v3 = store;
	struct lock *lock = find_or_add(v3, entry);
	enum spk_lock_status status;
	const struct entry *own;
	size_t index;

	entry->created_ns = store_realtime();
	status = v3_put(v3, lock, entry, call);
	if (status != SPK_LOCK_OK)
		goto out;
	index = entries_find(&lock->queue, lock->id);
	own = &lock->queue.items[index];
	if (index < lock->queue.count && own->lease != v3->lease) {
		reason_set(&call->reason, "%s: there is an entry %s already, of somebody else",
			   entry->key, entry->id);
		v3_forget(v3, lock);
		return SPK_LOCK_REFUSED;
	}
	status = v3_judge_queue(lock, entry, call);
	if (status == SPK_LOCK_WAITING) {
		lock->shown = v3_sum_queue(lock);
		v3_show_queue(lock, visitor, data);
	}
out:
	if (status == SPK_LOCK_REFUSED || status == SPK_LOCK_LOST) {
		struct spk_lock_call quiet = {.deadline_ns = call->deadline_ns,
					      .cancel_fd = call->cancel_fd};

		/* As far as that goes: if it does not, it ends with the lease. */
		(void)drop(v3, lock, &quiet);
	}
	return status;
}

static enum spk_lock_status leave(void *store, const struct spk_lock_entry *entry,
				  struct spk_lock_call *call)
{
	struct v3 *v3 = store;
	struct lock *lock = v3_find(v3, entry->key, entry->id);

	return lock ? drop(v3, lock, call) : delete_entry(v3, entry->key, entry->id, call);
}

/* Reads a key's queue, or that of all keys, into *entries. */
static enum spk_lock_status read_queue(struct v3 *v3, const char *key, struct entries *entries,
				       uint64_t *ret_revision, struct spk_lock_call *call)
{
	struct text body = {0}, base = {0};
	struct client_answer answer;
	enum spk_lock_status status;

	text_puts(&body, "{");
	if (key) {
		v3_add_range(&body, key);
	} else {
		text_puts(&base, WIRE3_BASE);
		add_prefix(&body, &base);
	}
	text_puts(&body, "}");
	status = v3_post(v3, "/v3/kv/range", body.bytes, &answer, call);
	*ret_revision = 0;
	if (status == SPK_LOCK_OK) {
		json_unsigned(json_object(answer.json, "header"), "revision", ret_revision);
		status = v3_take_queue(answer.json, *ret_revision, entries, call);
	}
	client_answer_free(&answer);
	text_free(&body);
	text_free(&base);
	return status;
}

enum spk_lock_status v3_read(struct v3 *v3, struct lock *lock, struct spk_lock_call *call)
{
	int64_t now = http_now();
	enum spk_lock_status status = read_queue(v3, lock->key, &lock->queue, &lock->seen, call);

	lock->read_at = now;
	return status;
}

static enum spk_lock_status list(void *store, const char *key, spk_lock_visitor *visitor,
				 void *data, struct spk_lock_call *call)
{
	struct v3 *v3 = store;
	struct entries *listed = &v3->listed;
	uint64_t revision;
	enum spk_lock_status status = read_queue(v3, key, listed, &revision, call);

	if (status != SPK_LOCK_OK)
		return status;
	for (size_t first = 0, count; first < listed->count; first += count) {
		for (count = 1;
		     first + count < listed->count &&
		     strcmp(listed->items[first].key, listed->items[first + count].key) == 0;)
			count++;
		entries_visit(listed, first, count, visitor, data);
	}
	for (size_t i = 0; i < listed->count; i++) {
		if (listed->items[i].wrong)
			return refuse_value(&listed->items[i], call);
	}
	return SPK_LOCK_OK;
}

static enum spk_lock_status remove_entry(void *store, const char *key, const char *id,
					 struct spk_lock_call *call)
{
	struct v3 *v3 = store;
	enum spk_lock_status status;
	uint64_t revision;
	size_t index;

	status = read_queue(v3, key, &v3->listed, &revision, call);
	if (status != SPK_LOCK_OK)
		return status;
	index = entries_find(&v3->listed, id);
	/* The lease of a freeze is its own. */
	if (index < v3->listed.count && v3->listed.items[index].reason &&
	    v3->listed.items[index].lease)
		status = v3_revoke(v3, v3->listed.items[index].lease, call);
	else
		status = delete_entry(v3, key, id, call);
	return status == SPK_LOCK_LOST ? SPK_LOCK_MISSING : status;
}

/* One attempt at a freeze. MISSING when holders have changed since the queue was read. */
static enum spk_lock_status freeze_once(struct v3 *v3, const struct spk_lock_entry *entry,
					int64_t lease, struct spk_lock_call *call)
{
	struct text body = {0}, value = {0};
	struct client_answer answer = {0};
	enum spk_lock_status status;
	uint64_t revision, in_until = 0;
	struct entries *queue = &v3->listed;
	size_t holders;

	status = read_queue(v3, entry->key, queue, &revision, call);
	if (status != SPK_LOCK_OK)
		return status;
	holders = entries_holders(queue);
	text_puts(&body, "{\"compare\":[{\"target\":\"CREATE\",\"create_revision\":\"0\",");
	add_own_key(&body, entry->key, entry->id);
	/* Nobody came in since, nor did anybody leave and let others in. */
	text_printf(&body,
		    "},{\"target\":\"CREATE\",\"result\":\"LESS\",\"create_revision\":\"%" PRIu64
		    "\",",
		    revision + 1);
	v3_add_range(&body, entry->key);
	text_puts(&body, "}");
	for (size_t i = 0, seen = 0; i < queue->count; i++) {
		if (queue->items[i].wrong) {
			status = refuse_value(&queue->items[i], call);
			goto out;
		}
		if (queue->items[i].reason || seen++ >= holders)
			continue;
		in_until = queue->items[i].revision;
		if (seen > COMPARES_MAX)
			continue;
		text_puts(&body,
			  ",{\"target\":\"VERSION\",\"result\":\"GREATER\",\"version\":\"0\",");
		add_own_key(&body, entry->key, queue->items[i].id);
		text_puts(&body, "}");
	}
	wire3_add_value(&value, entry, in_until);
	text_puts(&body, "],\"success\":[{\"request_put\":{");
	add_own_key(&body, entry->key, entry->id);
	text_puts(&body, ",\"value\":\"");
	text_add_base64(&body, value.bytes, value.length);
	text_printf(&body, "\",\"lease\":\"%" PRId64 "\"}}]}", lease);
	status = v3_post(v3, "/v3/kv/txn", body.bytes, &answer, call);
	if (status == SPK_LOCK_OK &&
	    !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer.json, "succeeded")))
		status = SPK_LOCK_MISSING;
out:
	client_answer_free(&answer);
	text_free(&body);
	text_free(&value);
	return status;
}

static enum spk_lock_status freeze(void *store, struct spk_lock_entry *entry,
				   struct spk_lock_call *call)
{
	struct v3 *v3 = store;
	enum spk_lock_status status;
	int64_t lease, until, next;

	entry->created_ns = store_realtime();
	entry->place = 0;
	entry->fence = 0;
	entry->concurrency = 1;
	status = v3_grant(v3, entry->ttl_ns, &lease, &until, &next, call);
	if (status != SPK_LOCK_OK)
		return status;
	status = SPK_LOCK_MISSING;
	for (int i = 0; i < FREEZE_TRIES && status == SPK_LOCK_MISSING; i++) {
		status = freeze_once(v3, entry, lease, call);
		/* A try before this one may have come through although its answer was lost. */
		if (status == SPK_LOCK_MISSING &&
		    entries_find(&v3->listed, entry->id) < v3->listed.count)
			return SPK_LOCK_OK;
	}
	if (status == SPK_LOCK_MISSING) {
		reason_set(&call->reason, "%s: its holders change too fast to be frozen",
			   entry->key);
		status = SPK_LOCK_UNREACHABLE;
	}
	if (status == SPK_LOCK_REFUSED || status == SPK_LOCK_UNREACHABLE) {
		struct spk_lock_call quiet = {.deadline_ns = call->deadline_ns,
					      .cancel_fd = call->cancel_fd};

		(void)v3_revoke(v3, lease, &quiet);
	}
	return status;
}

static void close_store(void *store, struct spk_lock_call *call)
{
	struct v3 *v3 = store;

	if (v3->lease)
		v3_revoke(v3, v3->lease, call);
	while (v3->locks)
		v3_forget(v3, v3->locks);
	entries_free(&v3->listed);
	client_free(v3->store.client);
	memory_free(v3);
}

static const struct spk_lock_driver v3_calls = {
	.close = close_store,
	.enter = enter,
	.wait = v3_wait,
	.leave = leave,
	.renew = v3_renew,
	.list = list,
	.remove = remove_entry,
	.freeze = freeze,
};

struct store *v3_new(struct client *client)
{
	struct v3 *v3 = memory_new(1, sizeof(*v3));

	v3->store.calls = &v3_calls;
	v3->store.client = client;
	return &v3->store;
}
