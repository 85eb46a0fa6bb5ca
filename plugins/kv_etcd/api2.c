/* SPDX-License-Identifier: Apache-2.0 */
/* Keys by API 2. What is below a key comes in one piece; what is written is written alone. */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/memory.h"
#include "../etcd/client2.h"

/* Directories within directories. */
#define DEPTH_MAX 32

static enum spk_lock_status nonsense(const char *key, struct spk_lock_call *call)
{
	reason_set(&call->reason, "%.120s: etcd's answer makes no sense", key);
	return SPK_LOCK_UNREACHABLE;
}

/* A key of an answer about `prefix`. */
static enum spk_lock_status take_key(const cJSON *node, const char *prefix, struct items *items,
				     struct spk_lock_call *call)
{
	const char *key = json_text(node, "key"), *value = json_text(node, "value");
	uint64_t index;

	if (!key || !value || !json_unsigned(node, "modifiedIndex", &index) || !index)
		return nonsense(prefix, call);
	if (!item_key_ok(key, prefix, &call->reason))
		return SPK_LOCK_UNREACHABLE;
	items_add(items, memory_copy(key), memory_copy(value), strlen(value), index);
	return SPK_LOCK_OK;
}

static bool is_directory(const cJSON *node)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(node, "dir"));
}

static enum spk_lock_status walk(const cJSON *node, const char *prefix, struct items *items,
				 unsigned int depth, struct spk_lock_call *call)
{
	enum spk_lock_status status = SPK_LOCK_OK;
	const cJSON *child;

	if (!cJSON_IsObject(node) || depth > DEPTH_MAX)
		return nonsense(prefix, call);
	if (!is_directory(node))
		return take_key(node, prefix, items, call);
	cJSON_ArrayForEach(child, json_array(node, "nodes"))
	{
		status = walk(child, prefix, items, depth + 1, call);
		if (status != SPK_LOCK_OK)
			break;
	}
	return status;
}

static enum spk_lock_status get(struct client *client, const char *key, struct items *items,
				struct spk_lock_call *call)
{
	struct client_answer answer;
	enum spk_lock_status status = client2_do(client, "GET", key, "?quorum=true", NULL, NULL,
						 &answer, call);
	const cJSON *node = json_object(answer.json, "node");

	if (status == SPK_LOCK_OK && (answer.code == CLIENT2_NOT_FOUND || is_directory(node)))
		status = SPK_LOCK_MISSING;
	else if (status == SPK_LOCK_OK && answer.code)
		status = client2_refuse(key, &answer, call);
	else if (status == SPK_LOCK_OK)
		status = take_key(node, key, items, call);
	if (status == SPK_LOCK_OK && strcmp(items->items[0].key, key) != 0)
		status = nonsense(key, call);
	client_answer_free(&answer);
	return status;
}

static enum spk_lock_status list(struct client *client, const char *prefix, struct items *items,
				 struct spk_lock_call *call)
{
	struct client_answer answer;
	enum spk_lock_status status = client2_do(client, "GET", strcmp(prefix, "/") ? prefix : "",
						 "?recursive=true&quorum=true", NULL, NULL, &answer,
						 call);
	const cJSON *node = json_object(answer.json, "node");

	if (status == SPK_LOCK_OK && answer.code == CLIENT2_NOT_FOUND)
		;
	else if (status == SPK_LOCK_OK && answer.code)
		status = client2_refuse(prefix, &answer, call);
	/* A key is not below itself. */
	else if (status == SPK_LOCK_OK && (!node || is_directory(node)))
		status = walk(node, prefix, items, 0, call);
	client_answer_free(&answer);
	return status;
}

static enum spk_lock_status write_change(struct client *client, const struct spk_kv_change *changes,
					 size_t count, bool *ret_open, struct spk_lock_call *call)
{
	const struct spk_kv_change *change = &changes[0];
	struct client_answer answer;
	enum spk_lock_status status;
	char query[80] = "?prevExist=false";

	if (count != 1) {
		reason_set(&call->reason, "API 2 of etcd writes one key at a time");
		return SPK_LOCK_REFUSED;
	}
	if (change->revision)
		snprintf(query, sizeof(query), "?%sprevIndex=%" PRIu64,
			 change->value ? "prevExist=true&" : "", change->revision);
	if (!change->value && !change->revision) /* it is to be away, and nothing else is asked */
		return SPK_LOCK_OK;
	status = client2_do(client, change->value ? "PUT" : "DELETE", change->key, query,
			    change->value, "", &answer, call);
	*ret_open = answer.open;
	if (status == SPK_LOCK_OK &&
	    (answer.code == CLIENT2_COMPARE_FAILED || answer.code == CLIENT2_EXISTS ||
	     answer.code == CLIENT2_NOT_FOUND)) {
		reason_set(&call->reason, "%.120s: somebody else has written it", change->key);
		status = SPK_LOCK_BUSY;
	} else if (status == SPK_LOCK_OK && answer.code) {
		status = client2_refuse(change->key, &answer, call);
	}
	client_answer_free(&answer);
	return status;
}

const struct api api2 = {.most = 1, .get = get, .list = list, .write = write_change};
