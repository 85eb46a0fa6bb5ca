/* SPDX-License-Identifier: Apache-2.0 */
/* The lease of a store by API 3: granted, renewed, revoked. */
#include "v3.h"

#include <inttypes.h>
#include <string.h>

/* Of one transaction; etcd takes 128. */
#define COMPARES_MAX 100
/* So often is a renewal repeated while leaders change. */
#define RENEWALS 5

static enum spk_lock_status damaged(const char *what, struct spk_lock_call *call)
{
	reason_set(&call->reason, "etcd's answer to %s makes no sense", what);
	return SPK_LOCK_UNREACHABLE;
}

static enum spk_lock_status post_lease(struct v3 *v3, const char *path, int64_t lease,
				       struct client_answer *answer, struct spk_lock_call *call)
{
	struct text body = {0};
	enum spk_lock_status status;

	text_printf(&body, "{\"ID\":\"%" PRId64 "\"}", lease);
	status = v3_post(v3, path, body.bytes, answer, call);
	text_free(&body);
	return status;
}

/* A lease of `ttl` seconds, asked for at `sent`. */
static void reckon(int64_t sent, int64_t ttl, int64_t *ret_until, int64_t *ret_next)
{
	int64_t length = ttl * NS_PER_SECOND;

	*ret_until = sent + length - lease_margin(length);
	*ret_next = sent + length / 3;
}

enum spk_lock_status v3_grant(struct v3 *v3, int64_t length_ns, int64_t *ret_lease,
			      int64_t *ret_until, int64_t *ret_next, struct spk_lock_call *call)
{
	int64_t seconds = whole_seconds(length_ns), ttl = 0, id = 0;
	struct client_request request = {
		.method = "POST", .path = "/v3/lease/grant", .type = CLIENT_JSON, .harmless = true};
	struct client_answer answer;
	enum spk_lock_status status;
	struct text body = {0};

	text_printf(&body, "{\"TTL\":\"%" PRId64 "\"}", seconds);
	request.body = body.bytes;
	status = client_do(v3->store.client, &request, &answer, call);
	if (status == SPK_LOCK_OK &&
	    (!json_number(answer.json, "ID", &id) || !json_number(answer.json, "TTL", &ttl) ||
	     !id || ttl <= 0 || ttl > seconds + 60))
		status = damaged("the request for a lease", call);
	if (status == SPK_LOCK_OK) {
		*ret_lease = id;
		reckon(answer.sent, ttl, ret_until, ret_next);
	}
	client_answer_free(&answer);
	text_free(&body);
	return status;
}

enum spk_lock_status v3_revoke(struct v3 *v3, int64_t lease, struct spk_lock_call *call)
{
	struct client_answer answer;
	enum spk_lock_status status = post_lease(v3, "/v3/lease/revoke", lease, &answer, call);

	/* Gone already: by an attempt before this one, or at its end. */
	if (status == SPK_LOCK_OK && answer.code == CLIENT_NOT_FOUND && !answer.again)
		status = SPK_LOCK_LOST;
	client_answer_free(&answer);
	return status;
}

bool v3_holds_any(const struct v3 *v3)
{
	for (const struct lock *lock = v3->locks; lock; lock = lock->next) {
		if (lock->holds)
			return true;
	}
	return false;
}

/* The lease does not exist any more, and nothing that was on it. */
static enum spk_lock_status lose_all(struct v3 *v3, struct spk_lock_call *call)
{
	enum spk_lock_status status = SPK_LOCK_OK;

	v3->lease = 0;
	for (struct lock *lock = v3->locks; lock; lock = lock->next) {
		if (!lock->holds)
			continue;
		lock->lost = true;
		reason_set(&call->reason, "%s: the lease of this lock has ended in the store",
			   lock->key);
		status = SPK_LOCK_LOST;
	}
	return status;
}

/* OK, with the term of the member that was asked; LOST when the lease has ended. */
static enum spk_lock_status keep_alive(struct v3 *v3, int64_t *ret_sent, int64_t *ret_ttl,
				       uint64_t *ret_term, struct spk_lock_call *call)
{
	struct client_answer answer;
	enum spk_lock_status status = post_lease(v3, "/v3/lease/keepalive", v3->lease, &answer,
						 call);
	const cJSON *result = json_object(answer.json, "result");

	if (status == SPK_LOCK_OK && answer.code == CLIENT_NOT_FOUND)
		status = SPK_LOCK_LOST;
	else if (status == SPK_LOCK_OK &&
		 (!result || !json_number(result, "TTL", ret_ttl) ||
		  !json_unsigned(json_object(result, "header"), "raft_term", ret_term)))
		status = damaged("a renewal", call);
	/* The gateway answers for a lease that is gone with 200 and no TTL. */
	else if (status == SPK_LOCK_OK && *ret_ttl <= 0)
		status = SPK_LOCK_LOST;
	*ret_sent = answer.sent;
	client_answer_free(&answer);
	return status;
}

/*
 * Reads what is held from a majority: OK when the entries of at most COMPARES_MAX locks from
 * *lock on are all there, MISSING when not. *lock is then the first that was not looked at, and
 * *ret_term the term of the leader.
 */
static enum spk_lock_status check_some(struct v3 *v3, struct lock **lock, uint64_t *ret_term,
				       struct spk_lock_call *call)
{
	struct text body = {0}, key = {0}, first = {0};
	struct client_answer answer;
	enum spk_lock_status status;
	int compares = 0;

	text_puts(&body, "{\"compare\":[");
	for (; *lock && compares < COMPARES_MAX; *lock = (*lock)->next) {
		text_clear(&key);
		wire3_add_key(&key, (*lock)->key, (*lock)->id);
		if (!first.length)
			text_add_base64(&first, key.bytes, key.length);
		if (!(*lock)->holds)
			continue;
		text_printf(&body,
			    "%s{\"target\":\"VERSION\",\"result\":\"GREATER\",\"version\":"
			    "\"0\",\"key\":\"",
			    compares ? "," : "");
		text_add_base64(&body, key.bytes, key.length);
		text_puts(&body, "\"}");
		compares++;
	}
	/* Without a read in it the transaction would be answered without asking a majority. */
	text_printf(&body,
		    "],\"success\":[{\"request_range\":{\"key\":\"%s\",\"count_only\":true}}],"
		    "\"failure\":[{\"request_range\":{\"key\":\"%s\",\"count_only\":true}}]}",
		    first.bytes, first.bytes);
	status = v3_post(v3, "/v3/kv/txn", body.bytes, &answer, call);
	if (status == SPK_LOCK_OK &&
	    !json_unsigned(json_object(answer.json, "header"), "raft_term", ret_term))
		status = damaged("a read", call);
	else if (status == SPK_LOCK_OK &&
		 !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer.json, "succeeded")))
		status = SPK_LOCK_MISSING;
	client_answer_free(&answer);
	text_free(&body);
	text_free(&key);
	text_free(&first);
	return status;
}

/*
 * The leader does not know the lease. One that was elected just now may not have come to its grant
 * yet; what a majority knows counts: what was on a lease is gone with it.
 */
static enum spk_lock_status end_of_lease(struct v3 *v3, struct spk_lock_call *call)
{
	const struct lock *lock = v3->locks;
	enum spk_lock_status status = SPK_LOCK_MISSING;

	while (lock && !lock->holds && lock->next)
		lock = lock->next;
	if (lock) {
		struct lock alone = {.key = lock->key, .id = lock->id, .holds = true};
		struct lock *at = &alone;
		uint64_t term;

		status = check_some(v3, &at, &term, call);
	}
	if (status == SPK_LOCK_MISSING)
		return lose_all(v3, call);
	if (status != SPK_LOCK_OK)
		return status;
	reason_set(&call->reason, "etcd's leader does not know the lease yet");
	return SPK_LOCK_UNREACHABLE;
}

/* Finds out which of our entries are not there any more. */
static enum spk_lock_status find_lost(struct v3 *v3, struct spk_lock_call *call)
{
	enum spk_lock_status result = SPK_LOCK_OK;

	for (struct lock *lock = v3->locks; lock; lock = lock->next) {
		struct lock alone = {.key = lock->key, .id = lock->id, .holds = true};
		struct lock *at = &alone;
		enum spk_lock_status status;
		uint64_t term;

		if (!lock->holds)
			continue;
		status = check_some(v3, &at, &term, call);
		if (status == SPK_LOCK_MISSING) {
			lock->lost = true;
			reason_set(&call->reason, "%s: somebody has removed it", lock->key);
			result = SPK_LOCK_LOST;
		} else if (status != SPK_LOCK_OK) {
			return status;
		}
	}
	return result;
}

/*
 * One renewal. A leader that has been replaced and does not know it yet would answer one, too, and
 * it would be worth nothing: what counts is that a majority, asked afterwards, still has the term
 * in which it was done. UNREACHABLE when it has not.
 */
static enum spk_lock_status renew_once(struct v3 *v3, struct spk_lock_call *call)
{
	uint64_t term = 0, term_now = 0;
	struct lock *lock = v3->locks;
	enum spk_lock_status status;
	bool missing = false;
	int64_t sent, ttl;

	status = keep_alive(v3, &sent, &ttl, &term, call);
	if (status == SPK_LOCK_LOST)
		return end_of_lease(v3, call);
	if (status != SPK_LOCK_OK)
		return status;
	while (lock) {
		status = check_some(v3, &lock, &term_now, call);
		missing = missing || status == SPK_LOCK_MISSING;
		if (status != SPK_LOCK_OK && status != SPK_LOCK_MISSING)
			return status;
		if (term_now != term) {
			reason_set(&call->reason, "etcd changes its leader");
			return SPK_LOCK_UNREACHABLE;
		}
	}
	reckon(sent, ttl, &v3->until, &v3->next);
	return missing ? find_lost(v3, call) : SPK_LOCK_OK;
}

enum spk_lock_status v3_renew(void *store, int64_t *ret_until, int64_t *ret_next,
			      struct spk_lock_call *call)
{
	struct v3 *v3 = store;
	enum spk_lock_status status = SPK_LOCK_OK;

	for (struct lock *lock = v3->locks; lock; lock = lock->next) {
		if (lock->lost) {
			reason_set(&call->reason, "%s: the lock was lost", lock->key);
			return SPK_LOCK_LOST;
		}
	}
	for (int i = 0; i < RENEWALS && v3->lease && http_now() >= v3->next; i++) {
		status = renew_once(v3, call);
		if (status != SPK_LOCK_OK && status != SPK_LOCK_UNREACHABLE)
			break;
		if (status != SPK_LOCK_OK && http_now() >= call->deadline_ns)
			return SPK_LOCK_TIMEOUT;
	}
	if (status != SPK_LOCK_OK)
		return status;
	*ret_until = v3->lease ? v3->until : INT64_MAX;
	*ret_next = v3->lease ? v3->next : INT64_MAX;
	return SPK_LOCK_OK;
}
