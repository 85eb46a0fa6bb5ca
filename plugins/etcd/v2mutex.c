/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mutex of those who write by API 2: everybody makes an in-order key, the lowest has it, all
 * others take theirs away and come again.
 */
#include "v2.h"

#include <string.h>
#include <sys/random.h>

#include "../base/memory.h"

#define DIRECTORY LOCKS_BASE "etcd"
#define TRIES 15
#define PAUSE_NS NS_PER_SECOND /* after the first try; then twice, three times that ... */
#define WORD_LENGTH 32

static enum spk_lock_status damaged(struct spk_lock_call *call)
{
	reason_set(&call->reason, DIRECTORY ": etcd's answer makes no sense");
	return SPK_LOCK_UNREACHABLE;
}

static bool make_word(char word[static WORD_LENGTH + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[WORD_LENGTH / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		word[2 * i] = digits[bytes[i] >> 4];
		word[2 * i + 1] = digits[bytes[i] & 15];
	}
	word[WORD_LENGTH] = '\0';
	return true;
}

/* The keys are below the directory, or they are none of ours to delete. */
static bool is_inside(const char *key)
{
	size_t length = strlen(DIRECTORY "/");

	return key && strncmp(key, DIRECTORY "/", length) == 0 && key[length] &&
	       !strchr(key + length, '/');
}

/*
 * Reads the directory: *ret_first is the lowest key, *ret_ours that with our word; both the
 * answer's. Either may be NULL.
 */
static enum spk_lock_status read_directory(struct v2 *v2, const char *word,
					   struct client_answer *answer, const char **ret_first,
					   const char **ret_ours, struct spk_lock_call *call)
{
	enum spk_lock_status status = v2_do(v2, "GET", DIRECTORY,
					    "?recursive=true&sorted=true&quorum=true", NULL, NULL,
					    answer, call);
	const cJSON *node;

	*ret_first = *ret_ours = NULL;
	if (status != SPK_LOCK_OK || answer->code == CLIENT2_NOT_FOUND)
		return status;
	if (answer->code)
		return client2_refuse(DIRECTORY, answer, call);
	cJSON_ArrayForEach(node, json_array(json_object(answer->json, "node"), "nodes"))
	{
		const char *key = json_text(node, "key"), *value = json_text(node, "value");

		if (!is_inside(key))
			return damaged(call);
		if (!*ret_first || strcmp(key, *ret_first) < 0)
			*ret_first = key;
		if (value && strcmp(value, word) == 0)
			*ret_ours = key;
	}
	return SPK_LOCK_OK;
}

static void remember(struct v2 *v2, const char *key)
{
	memory_free(v2->mutex);
	v2->mutex = memory_copy(key);
}

/* Makes our key, and remembers it. */
static enum spk_lock_status line_up(struct v2 *v2, const char *word, struct spk_lock_call *call)
{
	struct client_answer answer;
	enum spk_lock_status status = v2_do(v2, "POST", DIRECTORY, "", word, "&ttl=15", &answer,
					    call);
	const char *key = json_text(json_object(answer.json, "node"), "key"), *first;

	if (status == SPK_LOCK_OK && answer.code)
		status = client2_refuse(DIRECTORY, &answer, call);
	if (status == SPK_LOCK_OK && !is_inside(key))
		status = damaged(call);
	if (status == SPK_LOCK_OK)
		remember(v2, key);
	/* The answer was lost: the key may be there. */
	if (status == SPK_LOCK_UNREACHABLE && answer.open) {
		client_answer_free(&answer);
		status = read_directory(v2, word, &answer, &first, &key, call);
		if (status == SPK_LOCK_OK && !key) {
			reason_set(&call->reason, DIRECTORY ": cannot take the writers' mutex");
			status = SPK_LOCK_UNREACHABLE;
		}
		if (status == SPK_LOCK_OK)
			remember(v2, key);
	}
	client_answer_free(&answer);
	return status;
}

void v2_mutex_give(struct v2 *v2, struct spk_lock_call *call)
{
	struct spk_lock_call quiet = {.deadline_ns = call->deadline_ns,
				      .cancel_fd = call->cancel_fd};
	struct client_answer answer = {0};

	if (v2->mutex &&
	    v2_do(v2, "DELETE", v2->mutex, "", NULL, NULL, &answer, &quiet) == SPK_LOCK_OK) {
		memory_free(v2->mutex);
		v2->mutex = NULL;
	}
	client_answer_free(&answer);
}

/* OK: we have it. WAITING: somebody else does. */
static enum spk_lock_status try_once(struct v2 *v2, const char *word, struct spk_lock_call *call)
{
	struct client_answer answer = {0};
	const char *first, *ours;
	enum spk_lock_status status = line_up(v2, word, call);

	if (status != SPK_LOCK_OK)
		return status;
	status = read_directory(v2, word, &answer, &first, &ours, call);
	if (status == SPK_LOCK_OK && (!ours || strcmp(first, ours) != 0))
		status = SPK_LOCK_WAITING;
	client_answer_free(&answer);
	if (status != SPK_LOCK_OK)
		v2_mutex_give(v2, call);
	return status;
}

enum spk_lock_status v2_mutex_take(struct v2 *v2, struct spk_lock_call *call)
{
	enum spk_lock_status status = SPK_LOCK_OK;
	char word[WORD_LENGTH + 1];

	/* Left behind by a call that was cut short. */
	v2_mutex_give(v2, call);
	for (int try = 1; try <= TRIES; try++) {
		if (!make_word(word)) {
			reason_set(&call->reason, "the system has no random numbers");
			return SPK_LOCK_UNREACHABLE;
		}
		status = try_once(v2, word, call);
		if (status != SPK_LOCK_WAITING)
			return status;
		reason_set(&call->reason, DIRECTORY ": the writers' mutex is taken by others");
		if (try == TRIES)
			break;
		status = client_sleep(v2->store.client, http_now() + try * PAUSE_NS, call);
		if (status != SPK_LOCK_OK)
			return status;
	}
	return SPK_LOCK_UNREACHABLE;
}
