/* SPDX-License-Identifier: Apache-2.0 */
#include "v2.h"

#include <inttypes.h>
#include <string.h>

#include "../base/memory.h"

/* So often a key is read and written again when somebody else was faster. */
#define WRITE_TRIES 20
#define KINDS 3
/* A shorter ttl is not stored: it is not for when the run dies, and one late renewal would be
 * enough. */
#define TTL_LEAST_NS (15 * NS_PER_SECOND)

enum spk_lock_status v2_do(struct v2 *v2, const char *method, const char *key, const char *query,
			   const char *value, const char *more, struct client_answer *answer,
			   struct spk_lock_call *call)
{
	return client2_do(v2->store.client, method, key, query, value, more, answer, call);
}

/* One key as it was read. */
struct value {
	struct entries entries;
	cJSON *json;    /* never NULL after OK */
	uint64_t index; /* 0: there is no such key */
};

static void value_free(struct value *value)
{
	entries_free(&value->entries);
	cJSON_Delete(value->json);
	*value = (struct value){0};
}

/* What a node of an answer holds. */
static enum spk_lock_status take_node(const cJSON *node, const char *key, struct value *value,
				      struct spk_lock_call *call)
{
	const char *text = json_text(node, "value");

	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(node, "dir"))) {
		reason_set(&call->reason, "%.120s: is a directory, not a lock", key);
		return SPK_LOCK_REFUSED;
	}
	if (!text || !json_unsigned(node, "modifiedIndex", &value->index) || !value->index) {
		reason_set(&call->reason, "%.120s: etcd's answer makes no sense", key);
		return SPK_LOCK_UNREACHABLE;
	}
	if (wire2_read(key, text, &value->entries, &value->json, &call->reason) < 0)
		return SPK_LOCK_REFUSED;
	return SPK_LOCK_OK;
}

/*
 * Without `sure` a member answers by itself, which costs the cluster nothing: it may be behind, and
 * a write will then fail.
 */
static enum spk_lock_status read_key(struct v2 *v2, const char *key, bool sure, struct value *value,
				     struct spk_lock_call *call)
{
	struct client_answer answer;
	enum spk_lock_status status = v2_do(v2, "GET", key, sure ? "?quorum=true" : "", NULL, NULL,
					    &answer, call);

	value_free(value);
	if (status == SPK_LOCK_OK && answer.code == CLIENT2_NOT_FOUND)
		value->json = cJSON_CreateObject();
	else if (status == SPK_LOCK_OK && answer.code)
		status = client2_refuse(key, &answer, call);
	else if (status == SPK_LOCK_OK)
		status = take_node(json_object(answer.json, "node"), key, value, call);
	client_answer_free(&answer);
	return status;
}

/*
 * Writes what is left of value->json, or deletes the key. WAITING: somebody has written since it
 * was read, or this may have been done or not: read it again. *ret_index is that of the write.
 */
static enum spk_lock_status write_key(struct v2 *v2, const char *key, const struct value *value,
				      uint64_t *ret_index, struct spk_lock_call *call)
{
	bool empty = cJSON_GetArraySize(value->json) == 0;
	struct client_answer answer;
	enum spk_lock_status status;
	struct text query = {0};
	char *printed;

	*ret_index = 0;
	if (empty && !value->index)
		return SPK_LOCK_OK;
	if (value->index)
		text_printf(&query, "?prevIndex=%" PRIu64, value->index);
	else
		text_puts(&query, "?prevExist=false");
	printed = cJSON_PrintUnformatted(value->json);
	status = v2_do(v2, empty ? "DELETE" : "PUT", key, query.bytes, empty ? NULL : printed, "",
		       &answer, call);
	memory_free(printed);
	text_free(&query);
	if (status == SPK_LOCK_UNREACHABLE && answer.open)
		status = SPK_LOCK_WAITING;
	else if (status == SPK_LOCK_OK &&
		 (answer.code == CLIENT2_COMPARE_FAILED || answer.code == CLIENT2_EXISTS ||
		  answer.code == CLIENT2_NOT_FOUND))
		status = SPK_LOCK_WAITING;
	else if (status == SPK_LOCK_OK && answer.code)
		status = client2_refuse(key, &answer, call);
	else if (status == SPK_LOCK_OK)
		json_unsigned(json_object(answer.json, "node"), "modifiedIndex", ret_index);
	client_answer_free(&answer);
	return status;
}

/* Drops what has run out, as the other host does. */
static void drop_expired(struct value *value)
{
	int64_t now = store_realtime();

	for (size_t i = 0; i < value->entries.count;) {
		if (wire2_expired(&value->entries.items[i], now)) {
			cJSON_DeleteItemFromObjectCaseSensitive(value->json,
								value->entries.items[i].id);
			entries_remove(&value->entries, i);
		} else {
			i++;
		}
	}
}

/* Those who have it now, all holders. */
static void show(const struct value *value, spk_lock_visitor *visitor, void *data)
{
	for (size_t i = 0; visitor && i < value->entries.count; i++) {
		const struct entry *entry = &value->entries.items[i];

		visitor(data, &(struct spk_lock_entry){.size = sizeof(struct spk_lock_entry),
						       .key = entry->key,
						       .id = entry->id,
						       .owner = entry->owner,
						       .reason = entry->reason,
						       .created_ns = entry->created_ns,
						       .ttl_ns = entry->ttl_ns,
						       .concurrency = entry->concurrency});
	}
}

/* Keeps what was shown until the next call. */
static void keep(struct v2 *v2, struct value *value)
{
	entries_free(&v2->listed);
	v2->listed = value->entries;
	value->entries = (struct entries){0};
}

/* Whether the rule lets a newcomer in: the entry itself is not among those of the value. */
static bool has_room(const struct value *value, int32_t concurrency)
{
	size_t least = concurrency ? (size_t)concurrency : SIZE_MAX;

	for (size_t i = 0; i < value->entries.count; i++) {
		int32_t other = value->entries.items[i].concurrency;

		if (other && (size_t)other < least)
			least = (size_t)other;
	}
	return value->entries.count < least;
}

static struct held *find(const struct v2 *v2, const char *key, const char *id)
{
	struct held *held = v2->held;

	while (held && (strcmp(held->key, key) != 0 || strcmp(held->id, id) != 0))
		held = held->next;
	return held;
}

static struct held *find_or_add(struct v2 *v2, const struct spk_lock_entry *entry)
{
	struct held *held = find(v2, entry->key, entry->id);
	int64_t most = client_settings(v2->store.client)->lease_ns;
	int64_t least = most < TTL_LEAST_NS ? most : TTL_LEAST_NS;

	if (held)
		return held;
	held = memory_new(1, sizeof(*held));
	held->key = memory_copy(entry->key);
	held->id = memory_copy(entry->id);
	held->owner = memory_copy(entry->owner);
	held->concurrency = entry->concurrency;
	held->ttl_ns = entry->ttl_ns > most ? most : entry->ttl_ns < least ? least : entry->ttl_ns;
	/* Whole seconds are what is stored. */
	held->ttl_ns = whole_seconds(held->ttl_ns) * NS_PER_SECOND;
	held->next = v2->held;
	v2->held = held;
	return held;
}

static void forget(struct v2 *v2, struct held *held)
{
	struct held **at = &v2->held;

	while (*at != held)
		at = &(*at)->next;
	*at = held->next;
	memory_free(held->key);
	memory_free(held->id);
	memory_free(held->owner);
	memory_free(held);
}

/* Written at `sent`, with the time of then or later in it. */
static void reckon(struct held *held, int64_t sent)
{
	/*
	 * A writer of the other host may put back what it read before: then the time of the write
	 * before this one counts.
	 */
	int64_t counts = held->in ? held->sent : sent;

	held->until = counts + held->ttl_ns - lease_margin(held->ttl_ns);
	held->renew = sent + held->ttl_ns / 3;
	held->sent = sent;
	held->in = true;
}

/* Reads, looks, adds and writes, under the mutex. BUSY when there is no room. */
static enum spk_lock_status add_entry(struct v2 *v2, struct spk_lock_entry *entry, int64_t ttl_ns,
				      struct held *held, struct value *value,
				      struct spk_lock_call *call)
{
	for (int try = 0; try < WRITE_TRIES; try++) {
		enum spk_lock_status status = read_key(v2, entry->key, try > 0, value, call);
		size_t own;
		int64_t sent;

		if (status != SPK_LOCK_OK)
			return status;
		drop_expired(value);
		/* There already: by a request whose answer was lost. */
		own = entries_find(&value->entries, entry->id);
		if (own < value->entries.count)
			entries_remove(&value->entries, own);
		else if (!entry->reason && !has_room(value, entry->concurrency))
			return SPK_LOCK_BUSY;
		sent = http_now();
		entry->created_ns = store_realtime();
		wire2_set(value->json, entry, ttl_ns);
		status = write_key(v2, entry->key, value, &entry->fence, call);
		if (status == SPK_LOCK_OK && held)
			reckon(held, sent);
		if (status != SPK_LOCK_WAITING)
			return status;
	}
	reason_set(&call->reason, "%s: is written by others all the time", entry->key);
	return SPK_LOCK_UNREACHABLE;
}

static enum spk_lock_status enter(void *store, struct spk_lock_entry *entry,
				  spk_lock_visitor *visitor, void *data, struct spk_lock_call *call)
{
	struct v2 *v2 = store;
	struct held *held = find_or_add(v2, entry);
	struct value value = {0};
	enum spk_lock_status status = v2_mutex_take(v2, call);

	entry->reason = NULL;
	if (status == SPK_LOCK_OK) {
		status = add_entry(v2, entry, held->ttl_ns, held, &value, call);
		v2_mutex_give(v2, call);
	}
	entry->place = status == SPK_LOCK_BUSY ? 1 : 0;
	if (status == SPK_LOCK_BUSY)
		show(&value, visitor, data);
	if (status == SPK_LOCK_BUSY || status == SPK_LOCK_REFUSED)
		forget(v2, held);
	keep(v2, &value);
	value_free(&value);
	return status;
}

static enum spk_lock_status wait_for(void *store, struct spk_lock_entry *entry,
				     spk_lock_visitor *visitor, void *data,
				     struct spk_lock_call *call)
{
	reason_set(&call->reason, "%s: API 2 of etcd keeps no queue", entry->key);
	return SPK_LOCK_MISSING;
}

/* Takes an entry out of its key. MISSING when it is not there. */
static enum spk_lock_status take_out(struct v2 *v2, const char *key, const char *id,
				     struct spk_lock_call *call)
{
	struct value value = {0};
	enum spk_lock_status status = SPK_LOCK_WAITING;
	bool written = false;
	uint64_t index;

	for (int try = 0; try < WRITE_TRIES && status == SPK_LOCK_WAITING; try++) {
		status = read_key(v2, key, try > 0, &value, call);
		if (status != SPK_LOCK_OK)
			break;
		if (entries_find(&value.entries, id) == value.entries.count) {
			if (!try) {
				status = SPK_LOCK_WAITING;
				continue;
			}
			reason_set(&call->reason, "%.120s: there is no entry %.64s", key, id);
			/* A write before this one may have done it. */
			status = written ? SPK_LOCK_OK : SPK_LOCK_MISSING;
			break;
		}
		drop_expired(&value);
		cJSON_DeleteItemFromObjectCaseSensitive(value.json, id);
		status = write_key(v2, key, &value, &index, call);
		written = true;
	}
	if (status == SPK_LOCK_WAITING) {
		reason_set(&call->reason, "%s: is written by others all the time", key);
		status = SPK_LOCK_UNREACHABLE;
	}
	value_free(&value);
	return status;
}

/* The same under the mutex, and without where it cannot be had: better than not at all. */
static enum spk_lock_status take_out_alone(struct v2 *v2, const char *key, const char *id,
					   struct spk_lock_call *call)
{
	enum spk_lock_status status = v2_mutex_take(v2, call);

	if (status == SPK_LOCK_CANCELLED || status == SPK_LOCK_TIMEOUT)
		return status;
	status = take_out(v2, key, id, call);
	v2_mutex_give(v2, call);
	return status;
}

static enum spk_lock_status leave(void *store, const struct spk_lock_entry *entry,
				  struct spk_lock_call *call)
{
	struct v2 *v2 = store;
	struct held *held = find(v2, entry->key, entry->id);
	enum spk_lock_status status = take_out_alone(v2, entry->key, entry->id, call);

	if (held && (status == SPK_LOCK_OK || status == SPK_LOCK_MISSING)) {
		if (status == SPK_LOCK_MISSING && held->in)
			status = SPK_LOCK_LOST;
		forget(v2, held);
	}
	return status;
}

/* Writes the entry once more with the time of now. */
static enum spk_lock_status refresh(struct v2 *v2, struct held *held, struct spk_lock_call *call)
{
	struct spk_lock_entry entry = {
		.id = held->id, .owner = held->owner, .concurrency = held->concurrency};
	enum spk_lock_status status = SPK_LOCK_WAITING;
	struct value value = {0};
	uint64_t index;
	int64_t sent;

	for (int try = 0; try < WRITE_TRIES && status == SPK_LOCK_WAITING; try++) {
		status = read_key(v2, held->key, try > 0, &value, call);
		if (status != SPK_LOCK_OK)
			break;
		if (entries_find(&value.entries, held->id) == value.entries.count) {
			if (!try) {
				status = SPK_LOCK_WAITING;
				continue;
			}
			reason_set(&call->reason, "%s: the entry of this lock is gone", held->key);
			status = SPK_LOCK_LOST;
			break;
		}
		sent = http_now();
		entry.created_ns = store_realtime();
		wire2_set(value.json, &entry, held->ttl_ns);
		status = write_key(v2, held->key, &value, &index, call);
		if (status == SPK_LOCK_OK)
			reckon(held, sent);
	}
	value_free(&value);
	return status == SPK_LOCK_WAITING ? SPK_LOCK_UNREACHABLE : status;
}

static enum spk_lock_status renew(void *store, int64_t *ret_until, int64_t *ret_next,
				  struct spk_lock_call *call)
{
	struct v2 *v2 = store;

	*ret_until = *ret_next = INT64_MAX;
	for (struct held *held = v2->held; held; held = held->next) {
		if (held->in && http_now() >= held->renew) {
			enum spk_lock_status status = refresh(v2, held, call);

			if (status != SPK_LOCK_OK)
				return status;
		}
		if (held->in && held->until < *ret_until)
			*ret_until = held->until;
		if (held->in && held->renew < *ret_next)
			*ret_next = held->renew;
	}
	return SPK_LOCK_OK;
}

/* Adds the entries of one node and of all below it. Bad ones go into the reason, the first first.
 */
static enum spk_lock_status walk(const cJSON *node, struct entries *entries,
				 struct spk_lock_call *call)
{
	static const char *const kinds[KINDS] = {LOCKS_BASE "cookbooks", LOCKS_BASE "custom",
						 LOCKS_BASE "modules"};
	enum spk_lock_status worst = SPK_LOCK_OK;
	const cJSON *kind, *lock;

	cJSON_ArrayForEach(kind, json_array(node, "nodes"))
	{
		const char *name = json_text(kind, "key");
		bool known = false;

		for (size_t i = 0; name && i < KINDS; i++)
			known = known || strcmp(name, kinds[i]) == 0;
		if (!known)
			continue;
		cJSON_ArrayForEach(lock, json_array(kind, "nodes"))
		{
			const char *key = json_text(lock, "key");
			struct spk_lock_call quiet = {0};
			struct value value = {0};
			enum spk_lock_status status = take_node(lock, key ? key : "?", &value,
								&quiet);

			for (size_t i = 0; i < value.entries.count; i++) {
				*entries_add(entries) = value.entries.items[i];
			}
			value.entries.count = 0;
			value_free(&value);
			if (status != SPK_LOCK_OK && worst == SPK_LOCK_OK) {
				call->reason = quiet.reason;
				worst = status;
			}
		}
	}
	return worst;
}

static enum spk_lock_status list(void *store, const char *key, spk_lock_visitor *visitor,
				 void *data, struct spk_lock_call *call)
{
	struct v2 *v2 = store;
	struct client_answer answer = {0};
	struct value value = {0};
	enum spk_lock_status status;

	if (key) {
		status = read_key(v2, key, true, &value, call);
	} else {
		status = v2_do(v2, "GET", "/spicerack/locks", "?recursive=true&quorum=true", NULL,
			       NULL, &answer, call);
		if (status == SPK_LOCK_OK && answer.code && answer.code != CLIENT2_NOT_FOUND)
			status = client2_refuse("/spicerack/locks", &answer, call);
		if (status == SPK_LOCK_OK && !answer.code)
			status = walk(json_object(answer.json, "node"), &value.entries, call);
		entries_sort(&value.entries);
	}
	drop_expired(&value);
	show(&value, visitor, data);
	keep(v2, &value);
	value_free(&value);
	client_answer_free(&answer);
	return status;
}

static enum spk_lock_status remove_entry(void *store, const char *key, const char *id,
					 struct spk_lock_call *call)
{
	return take_out_alone(store, key, id, call);
}

static enum spk_lock_status freeze(void *store, struct spk_lock_entry *entry,
				   struct spk_lock_call *call)
{
	struct v2 *v2 = store;
	struct value value = {0};
	enum spk_lock_status status;

	entry->place = 0;
	entry->concurrency = 1;
	status = v2_mutex_take(v2, call);
	if (status == SPK_LOCK_OK) {
		status = add_entry(v2, entry, entry->ttl_ns, NULL, &value, call);
		v2_mutex_give(v2, call);
	}
	entry->fence = 0;
	value_free(&value);
	return status;
}

static void close_store(void *store, struct spk_lock_call *call)
{
	struct v2 *v2 = store;

	while (v2->held) {
		if (v2->held->in)
			take_out_alone(v2, v2->held->key, v2->held->id, call);
		forget(v2, v2->held);
	}
	v2_mutex_give(v2, call);
	memory_free(v2->mutex);
	entries_free(&v2->listed);
	client_free(v2->store.client);
	memory_free(v2);
}

static const struct spk_lock_driver v2_calls = {
	.close = close_store,
	.enter = enter,
	.wait = wait_for,
	.leave = leave,
	.renew = renew,
	.list = list,
	.remove = remove_entry,
	.freeze = freeze,
};

struct store *v2_new(struct client *client)
{
	struct v2 *v2 = memory_new(1, sizeof(*v2));

	v2->store.calls = &v2_calls;
	v2->store.client = client;
	return &v2->store;
}
