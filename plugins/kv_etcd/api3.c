/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys by API 3, through its JSON gateway. Many are read in pages of one revision; changes are one
 * transaction.
 */
#include "store.h"

#include <inttypes.h>
#include <string.h>

#include "../base/memory.h"

/* Keys of one answer. */
#define PAGE 5000
/* So often a list is begun anew when its revision was compacted away in the middle. */
#define LIST_TRIES 5
/* Of one transaction; etcd takes 128. */
#define CHANGES_MAX 64
/* gRPC's code for a revision that is not there any more. */
#define GRPC_OUT_OF_RANGE 11

static enum spk_lock_status post(struct client *client, const char *path, const struct text *body,
				 bool reads, struct client_answer *answer,
				 struct spk_lock_call *call)
{
	struct client_request request = {.method = "POST",
					 .path = path,
					 .type = CLIENT_JSON,
					 .body = body->bytes,
					 .harmless = reads,
					 .once = !reads};

	return client_do(client, &request, answer, call);
}

static void add_bytes(struct text *body, const char *name, const char *bytes, size_t length)
{
	text_printf(body, "\"%s\":\"", name);
	text_add_base64(body, bytes, length);
	text_puts(body, "\"");
}

static enum spk_lock_status nonsense(const char *key, struct spk_lock_call *call)
{
	reason_set(&call->reason, "%.120s: etcd's answer makes no sense", key);
	return SPK_LOCK_UNREACHABLE;
}

/* The bytes of a member as a text; NULL for what is none. */
static char *take_text(const cJSON *kv, const char *name, size_t *ret_length)
{
	struct text text = {0};

	if (!json_bytes(kv, name, &text) ||
	    (text.length && memchr(text.bytes, '\0', text.length))) {
		text_free(&text);
		return NULL;
	}
	*ret_length = text.length;
	return text.bytes ? text.bytes : memory_copy("");
}

static enum spk_lock_status take_kv(const cJSON *kv, const char *prefix, struct items *items,
				    struct spk_lock_call *call)
{
	enum spk_lock_status status = SPK_LOCK_OK;
	size_t key_length, length = 0;
	char *key = take_text(kv, "key", &key_length);
	char *value = take_text(kv, "value", &length);
	uint64_t revision;

	if (!key || !json_unsigned(kv, "mod_revision", &revision) || !revision) {
		status = nonsense(prefix, call);
	} else if (!item_key_ok(key, prefix, &call->reason)) {
		status = SPK_LOCK_UNREACHABLE;
	} else if (!value) {
		reason_set(&call->reason, "%.160s: its value is no text: a NUL is in it", key);
		status = SPK_LOCK_REFUSED;
	} else {
		items_add(items, key, value, length, revision);
		return SPK_LOCK_OK;
	}
	memory_free(key);
	memory_free(value);
	return status;
}

static enum spk_lock_status take_kvs(const cJSON *json, const char *prefix, struct items *items,
				     struct spk_lock_call *call)
{
	const cJSON *kvs = cJSON_GetObjectItemCaseSensitive(json, "kvs"), *kv;
	enum spk_lock_status status = SPK_LOCK_OK;

	if (kvs && !cJSON_IsArray(kvs))
		return nonsense(prefix, call);
	cJSON_ArrayForEach(kv, kvs)
	{
		status = take_kv(kv, prefix, items, call);
		if (status != SPK_LOCK_OK)
			break;
	}
	return status;
}

static enum spk_lock_status get(struct client *client, const char *key, struct items *items,
				struct spk_lock_call *call)
{
	struct client_answer answer;
	enum spk_lock_status status;
	struct text body = {0};

	text_puts(&body, "{");
	add_bytes(&body, "key", key, strlen(key));
	text_puts(&body, "}");
	status = post(client, "/v3/kv/range", &body, true, &answer, call);
	if (status == SPK_LOCK_OK)
		status = take_kvs(answer.json, key, items, call);
	if (status == SPK_LOCK_OK && items->count == 0)
		status = SPK_LOCK_MISSING;
	else if (status == SPK_LOCK_OK &&
		 (items->count > 1 || strcmp(items->items[0].key, key) != 0))
		status = nonsense(key, call);
	client_answer_free(&answer);
	text_free(&body);
	return status;
}

/* A list on its way. */
struct listing {
	const char *prefix;
	struct text from, end; /* of the next page, and of all */
	uint64_t revision;     /* that all pages are of; 0: not known yet */
	bool more, compacted;
};

static enum spk_lock_status read_page(struct client *client, struct listing *listing,
				      struct items *items, struct spk_lock_call *call)
{
	struct client_answer answer;
	enum spk_lock_status status;
	struct text body = {0};
	size_t before = items->count;

	text_puts(&body, "{");
	add_bytes(&body, "key", listing->from.bytes, listing->from.length);
	text_puts(&body, ",");
	add_bytes(&body, "range_end", listing->end.bytes, listing->end.length);
	text_printf(&body, ",\"limit\":\"%d\",\"revision\":\"%" PRIu64 "\"}", PAGE,
		    listing->revision);
	status = post(client, "/v3/kv/range", &body, true, &answer, call);
	listing->compacted = status == SPK_LOCK_REFUSED && answer.code == GRPC_OUT_OF_RANGE;
	if (status == SPK_LOCK_OK)
		status = take_kvs(answer.json, listing->prefix, items, call);
	listing->more = status == SPK_LOCK_OK &&
			cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer.json, "more"));
	if (listing->more && !listing->revision &&
	    !json_unsigned(json_object(answer.json, "header"), "revision", &listing->revision))
		status = nonsense(listing->prefix, call);
	/* The next page begins behind the last key, and there is none without it. */
	if (listing->more && (items->count == before || !listing->revision ||
			      strcmp(items->items[items->count - 1].key, listing->from.bytes) < 0))
		status = nonsense(listing->prefix, call);
	if (listing->more && status == SPK_LOCK_OK) {
		const char *last = items->items[items->count - 1].key;

		text_clear(&listing->from);
		text_add(&listing->from, last, strlen(last) + 1);
	}
	client_answer_free(&answer);
	text_free(&body);
	return status;
}

static enum spk_lock_status list_once(struct client *client, const char *prefix,
				      struct items *items, bool *ret_compacted,
				      struct spk_lock_call *call)
{
	bool all = strcmp(prefix, "/") == 0;
	struct listing listing = {.prefix = prefix};
	enum spk_lock_status status;

	text_printf(&listing.from, "%s/", all ? "" : prefix);
	text_printf(&listing.end, "%s0", all ? "" : prefix); /* '0' follows '/' */
	do
		status = read_page(client, &listing, items, call);
	while (status == SPK_LOCK_OK && listing.more);
	*ret_compacted = listing.compacted;
	text_free(&listing.from);
	text_free(&listing.end);
	return status;
}

static enum spk_lock_status list(struct client *client, const char *prefix, struct items *items,
				 struct spk_lock_call *call)
{
	enum spk_lock_status status;
	bool compacted = false;

	for (int try = 0; try < LIST_TRIES; try++) {
		items_free(items);
		status = list_once(client, prefix, items, &compacted, call);
		if (!compacted)
			return status;
	}
	return SPK_LOCK_UNREACHABLE;
}

static void add_change(struct text *body, struct text *compares, const struct spk_kv_change *change)
{
	const char *comma = compares->length ? "," : "";

	text_printf(compares, "%s{", comma);
	add_bytes(compares, "key", change->key, strlen(change->key));
	if (change->revision)
		text_printf(compares, ",\"target\":\"MOD\",\"mod_revision\":\"%" PRIu64 "\"}",
			    change->revision);
	else
		text_puts(compares, ",\"target\":\"CREATE\",\"create_revision\":\"0\"}");
	text_printf(body, "%s{\"%s\":{", comma,
		    change->value ? "request_put" : "request_delete_range");
	add_bytes(body, "key", change->key, strlen(change->key));
	if (change->value) {
		text_puts(body, ",");
		add_bytes(body, "value", change->value, change->length);
	}
	text_puts(body, "}}");
}

static enum spk_lock_status write_changes(struct client *client,
					  const struct spk_kv_change *changes, size_t count,
					  bool *ret_open, struct spk_lock_call *call)
{
	struct text body = {0}, compares = {0}, requests = {0};
	struct client_answer answer;
	enum spk_lock_status status;

	if (count > CHANGES_MAX) {
		reason_set(&call->reason, "more than %d changes at once", CHANGES_MAX);
		return SPK_LOCK_REFUSED;
	}
	for (size_t i = 0; i < count; i++)
		add_change(&requests, &compares, &changes[i]);
	text_printf(&body, "{\"compare\":[%s],\"success\":[", compares.bytes);
	text_add(&body, requests.bytes, requests.length);
	text_puts(&body, "]}");
	status = post(client, "/v3/kv/txn", &body, false, &answer, call);
	*ret_open = answer.open;
	if (status == SPK_LOCK_OK &&
	    !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer.json, "succeeded"))) {
		reason_set(&call->reason, "%.120s%s: somebody else has written it", changes[0].key,
			   count > 1 ? ", or one of those with it" : "");
		status = SPK_LOCK_BUSY;
	}
	client_answer_free(&answer);
	text_free(&body);
	text_free(&compares);
	text_free(&requests);
	return status;
}

const struct api api3 = {.most = CHANGES_MAX, .get = get, .list = list, .write = write_changes};
