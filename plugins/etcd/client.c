/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/memory.h"
#include "discovery.h"

/* How long all members are asked again before a call gives up. */
#define GIVE_UP_NS (6 * NS_PER_SECOND)
#define ROUND_PAUSE_NS (NS_PER_SECOND / 10)
#define ROUND_PAUSE_MAX_NS NS_PER_SECOND
/* A member that failed is left out for so long, while there are others. */
#define SUSPECT_NS (10 * NS_PER_SECOND)
/* The most that one of several members is waited for. */
#define ATTEMPT_NS (5 * NS_PER_SECOND)

/* gRPC's codes, as the gateway writes them. */
enum {
	GRPC_CANCELLED = 1,
	GRPC_INVALID_ARGUMENT = 3,
	GRPC_DEADLINE = 4,
	GRPC_EXHAUSTED = 8,
	GRPC_PRECONDITION = 9,
	GRPC_ABORTED = 10,
	GRPC_INTERNAL = 13,
	GRPC_UNAVAILABLE = 14,
	GRPC_UNAUTHENTICATED = 16,
};

/* API 2: not let in, and from here on the fault of the server. */
enum {
	V2_UNAUTHORIZED = 110,
	V2_SERVER = 300,
	V2_SERVER_END = 400,
};

struct member {
	char *url;
	int64_t suspect_until;
	bool known; /* to be of our cluster */
	bool asked; /* in this round */
};

struct client {
	struct settings settings;
	struct http *http;
	struct member *members;
	size_t count, current;
	bool look_up;                /* the members are to be found, for the first time or anew */
	uint64_t cluster;            /* 0: not known yet */
	char *authorization;         /* what a request carries; NULL: nothing */
	bool without_authentication; /* the store has it turned off */
};

/* What became of one request to one member. */
enum outcome {
	OUTCOME_ANSWERED,
	OUTCOME_NEXT,         /* ask another one */
	OUTCOME_AUTHENTICATE, /* our token is not valid, or none was sent */
	OUTCOME_HOPELESS,     /* ask another one, and not this one again */
	OUTCOME_REFUSED,
	OUTCOME_CANCELLED,
	OUTCOME_TIMEOUT, /* of the call, not of the member */
};

static char *member_url(const struct settings *settings, const struct host *host)
{
	bool bare_ipv6 = strchr(host->name, ':') != NULL;
	struct text url = {0};

	text_printf(&url, "%s://%s%s%s:%u", settings->https ? "https" : "http",
		    bare_ipv6 ? "[" : "", host->name, bare_ipv6 ? "]" : "",
		    host->port ? host->port : settings->port);
	return url.bytes;
}

static void forget_members(struct client *client)
{
	for (size_t i = 0; i < client->count; i++)
		memory_free(client->members[i].url);
	memory_free(client->members);
	client->members = NULL;
	client->count = client->current = 0;
}

static void set_members(struct client *client, const struct hosts *hosts)
{
	forget_members(client);
	client->count = hosts->count;
	client->members = memory_new(client->count, sizeof(*client->members));
	for (size_t i = 0; i < client->count; i++)
		client->members[i].url = member_url(&client->settings, &hosts->items[i]);
}

/*
 * Finds the members where they are not listed but to be looked up. When that fails, those known
 * from before, or listed all the same, are asked.
 */
static enum spk_lock_status find_members(struct client *client, struct spk_lock_call *call)
{
	const struct settings *settings = &client->settings;
	enum spk_lock_status status = SPK_LOCK_OK;
	struct hosts found = {0};

	if (!client->look_up)
		return SPK_LOCK_OK;
	status = discover(settings->srv_domain, &found, call);
	if (status == SPK_LOCK_OK && found.count > 1 && settings->reconnect_given &&
	    !settings->reconnect) {
		reason_set(&call->reason,
			   "etcd: '%.100s' has several members, and "
			   "'allow_reconnect' is false",
			   settings->srv_domain);
		status = SPK_LOCK_REFUSED;
	}
	if (status == SPK_LOCK_OK)
		set_members(client, &found);
	else if (status != SPK_LOCK_CANCELLED && client->count)
		status = SPK_LOCK_OK;
	client->look_up = status != SPK_LOCK_OK;
	hosts_free(&found);
	return status;
}

/* API 2 is told user and password with each request, API 3 a token. */
static void set_basic(struct client *client)
{
	struct text plain = {0}, header = {0};

	text_printf(&plain, "%s:%s", client->settings.username, client->settings.password);
	text_puts(&header, "Basic ");
	text_add_base64(&header, plain.bytes, plain.length);
	text_free(&plain);
	client->authorization = header.bytes;
}

struct client *client_new(struct settings *settings, struct spk_reason_buffer *reason)
{
	struct client *client = memory_new(1, sizeof(*client));

	client->settings = *settings;
	memset(settings, 0, sizeof(*settings));
	client->cluster = client->settings.cluster;
	client->look_up = client->settings.srv_domain != NULL;
	set_members(client, &client->settings.hosts);
	if (client->settings.api == 2 && client->settings.username)
		set_basic(client);
	json_init();
	client->http = http_new(&client->settings, reason);
	if (client->http)
		return client;
	client_free(client);
	return NULL;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	http_free(client->http);
	forget_members(client);
	memory_free(client->authorization);
	settings_free(&client->settings);
	memory_free(client);
}

const struct settings *client_settings(const struct client *client)
{
	return &client->settings;
}

void client_answer_free(struct client_answer *answer)
{
	cJSON_Delete(answer->json);
	answer->json = NULL;
}

/* What the server says went wrong. */
static const char *message_of(const cJSON *json)
{
	const cJSON *in_stream = json_object(json, "error");
	const char *message = json_text(in_stream ? in_stream : json, "message");
	const char *prefix = "etcdserver: ";

	if (!message)
		message = json_text(json, "error");
	if (!message)
		return "no reason given";
	return strncmp(message, prefix, strlen(prefix)) == 0 ? message + strlen(prefix) : message;
}

/* An error of API 3. */
static enum outcome judge_v3(const struct client *client, struct client_answer *answer)
{
	const char *message = message_of(answer->json);

	switch (answer->code) {
	case CLIENT_NOT_FOUND:
		return OUTCOME_ANSWERED;
	case GRPC_CANCELLED:
	case GRPC_INTERNAL:
	case GRPC_DEADLINE:
	case GRPC_ABORTED:
	case GRPC_UNAVAILABLE:
		return OUTCOME_NEXT;
	case GRPC_EXHAUSTED:
		return strstr(message, "too many requests") ? OUTCOME_NEXT : OUTCOME_REFUSED;
	case GRPC_UNAUTHENTICATED:
		return OUTCOME_AUTHENTICATE;
	case GRPC_INVALID_ARGUMENT:
		/* Without a token, or with one of before a change of users and roles. */
		if (strstr(message, "user name is empty") ||
		    strstr(message, "revision of auth store is old"))
			return OUTCOME_AUTHENTICATE;
		return OUTCOME_REFUSED;
	default:
		return OUTCOME_REFUSED;
	}
}

static enum outcome judge_v2(const struct client *client, struct client_answer *answer)
{
	if (answer->code == V2_UNAUTHORIZED)
		return OUTCOME_REFUSED;
	return answer->code >= V2_SERVER && answer->code < V2_SERVER_END ? OUTCOME_NEXT
									 : OUTCOME_ANSWERED;
}

/* Whose cluster the answer is of, 0 when it does not tell. */
static uint64_t cluster_of(const struct client_answer *answer, const struct http_answer *raw)
{
	const cJSON *result = json_object(answer->json, "result");
	const cJSON *header = json_object(result ? result : answer->json, "header");
	uint64_t cluster = 0;

	if (raw->cluster)
		return raw->cluster;
	return json_unsigned(header, "cluster_id", &cluster) ? cluster : 0;
}

static enum outcome check_cluster(struct client *client, struct member *member, uint64_t cluster,
				  struct spk_reason_buffer *reason)
{
	if (!cluster)
		return OUTCOME_ANSWERED;
	if (client->cluster && cluster != client->cluster) {
		reason_set(reason, "%s: is of the cluster %" PRIx64 ", not of %" PRIx64,
			   member->url, cluster, client->cluster);
		return OUTCOME_REFUSED;
	}
	client->cluster = cluster;
	member->known = true;
	return OUTCOME_ANSWERED;
}

/* An answer that is no JSON: of a proxy, of something else that listens there, or cut. */
static enum outcome judge_foreign(const struct client *client, const struct member *member,
				  const struct client_request *request,
				  const struct http_answer *raw, struct spk_reason_buffer *reason)
{
	if (raw->status == 404) {
		reason_set(reason, "%s: knows no %.60s: API %d of etcd is not served there",
			   member->url, request->path, client->settings.api);
		return OUTCOME_REFUSED;
	}
	/* Such as of a certificate with a common name, which the gateway does not take with users.
	 */
	if (raw->status == 400 && raw->body.length) {
		reason_set(reason, "%s: refuses: %.120s", member->url, raw->body.bytes);
		return OUTCOME_REFUSED;
	}
	if (raw->status == 401 || raw->status == 403) {
		reason_set(reason, "%s: HTTP status %ld", member->url, raw->status);
		return OUTCOME_REFUSED;
	}
	reason_set(reason, "%s: the answer is no JSON, HTTP status %ld", member->url, raw->status);
	return OUTCOME_NEXT;
}

static enum outcome judge(struct client *client, struct member *member,
			  const struct client_request *request, const struct http_answer *raw,
			  struct client_answer *answer, struct spk_reason_buffer *reason)
{
	bool v3 = client->settings.api == 3;
	enum outcome outcome;
	const cJSON *error;

	answer->status = raw->status;
	answer->json = json_parse(raw->body.bytes, raw->body.length);
	/* etcd answers with an object, whatever the status. */
	if (!cJSON_IsObject(answer->json))
		return judge_foreign(client, member, request, raw, reason);
	error = json_object(answer->json, "error");
	if (v3 && error) { /* of a stream, which began with 200 */
		if (!json_number(error, "grpc_code", &answer->code) || !answer->code)
			answer->code = -1;
	} else if (raw->status / 100 == 2) {
		answer->code = 0;
	} else if (!json_number(answer->json, v3 ? "code" : "errorCode", &answer->code)) {
		answer->code = -1;
	}
	if (raw->status / 100 != 2 && !answer->code)
		return judge_foreign(client, member, request, raw, reason);
	outcome = answer->code ? (v3 ? judge_v3 : judge_v2)(client, answer) : OUTCOME_ANSWERED;
	if (outcome != OUTCOME_ANSWERED)
		reason_set(reason, "%s: %s", member->url, message_of(answer->json));
	if (answer->code)
		return outcome;
	return check_cluster(client, member, cluster_of(answer, raw), reason);
}

/* One request to one member, until `until`. */
static enum outcome ask(struct client *client, struct member *member,
			const struct client_request *request, struct client_answer *answer,
			int64_t until, struct spk_lock_call *call)
{
	struct http_answer raw = {0};
	enum http_result result;
	enum outcome outcome;
	struct text url = {0};

	text_printf(&url, "%s%s", member->url, request->path);
	answer->sent = http_now();
	result = http_do(client->http,
			 &(struct http_request){.method = request->method,
						.url = url.bytes,
						.type = request->type,
						.body = request->body,
						.authorization = client->authorization,
						.redirect = client->settings.api == 2 &&
							    client->settings.redirect},
			 &raw, until, call->cancel_fd);
	text_free(&url);
	client_answer_free(answer);
	answer->open = raw.sent;
	switch (result) {
	case HTTP_ANSWERED:
		outcome = judge(client, member, request, &raw, answer, &call->reason);
		break;
	case HTTP_FAILED:
		reason_set(&call->reason, "%s: %s", member->url, raw.why);
		outcome = raw.hopeless ? OUTCOME_HOPELESS : OUTCOME_NEXT;
		break;
	case HTTP_TIMEOUT:
		reason_set(&call->reason, "%s: no answer in time", member->url);
		outcome = http_now() >= call->deadline_ns ? OUTCOME_TIMEOUT : OUTCOME_NEXT;
		break;
	case HTTP_CANCELLED:
	default:
		reason_set(&call->reason, "cancelled while %s was asked", member->url);
		outcome = OUTCOME_CANCELLED;
		break;
	}
	http_answer_free(&raw);
	return outcome;
}

/* Gets a token from the member. ANSWERED when it let us in, or lets everybody in. */
static enum outcome authenticate(struct client *client, struct member *member, int64_t until,
				 struct spk_lock_call *call)
{
	struct client_request request = {.method = "POST",
					 .path = "/v3/auth/authenticate",
					 .type = CLIENT_JSON,
					 .harmless = true};
	struct client_answer answer = {0};
	cJSON *body = cJSON_CreateObject();
	enum outcome outcome;
	const char *token;
	char *printed;

	cJSON_AddStringToObject(body, "name", client->settings.username);
	cJSON_AddStringToObject(body, "password", client->settings.password);
	printed = cJSON_PrintUnformatted(body);
	cJSON_Delete(body);
	request.body = printed;
	memory_free(client->authorization);
	client->authorization = NULL;
	outcome = ask(client, member, &request, &answer, until, call);
	token = json_text(answer.json, "token");
	if (outcome == OUTCOME_REFUSED && answer.code == GRPC_PRECONDITION) {
		client->without_authentication = true;
		outcome = OUTCOME_ANSWERED;
	} else if (outcome == OUTCOME_ANSWERED && token && token[strcspn(token, "\r\n")] == '\0') {
		client->authorization = memory_copy(token);
	} else if (outcome == OUTCOME_ANSWERED || outcome == OUTCOME_AUTHENTICATE) {
		reason_set(&call->reason, "%s: the answer to user and password has no token",
			   member->url);
		outcome = OUTCOME_REFUSED;
	}
	client_answer_free(&answer);
	memory_free(printed);
	return outcome;
}

/* Makes sure that the member is of our cluster before something is written to it. */
static enum outcome get_to_know(struct client *client, struct member *member, int64_t until,
				struct spk_lock_call *call)
{
	bool v3 = client->settings.api == 3;
	struct client_request request = {.method = v3 ? "POST" : "GET",
					 .path = v3 ? "/v3/maintenance/status" : "/v2/members",
					 .type = CLIENT_JSON,
					 .body = v3 ? "{}" : NULL};
	struct client_answer answer = {0};
	enum outcome outcome = ask(client, member, &request, &answer, until, call);

	if (outcome == OUTCOME_ANSWERED && !member->known) {
		reason_set(&call->reason, "%s: does not say of which cluster it is", member->url);
		outcome = OUTCOME_NEXT;
	}
	client_answer_free(&answer);
	return outcome;
}

/* A request to a member, with all that has to come before it. */
static enum outcome try_member(struct client *client, struct member *member,
			       const struct client_request *request, struct client_answer *answer,
			       int64_t until, struct spk_lock_call *call)
{
	bool tokens = client->settings.api == 3 && client->settings.username;
	enum outcome outcome = OUTCOME_ANSWERED;

	for (int tries = 0; tries < 3; tries++) {
		answer->open = false;
		if (tokens && !client->authorization && !client->without_authentication)
			outcome = authenticate(client, member, until, call);
		if (outcome == OUTCOME_ANSWERED && client->cluster && !member->known &&
		    !request->harmless)
			outcome = get_to_know(client, member, until, call);
		if (outcome == OUTCOME_ANSWERED)
			outcome = ask(client, member, request, answer, until, call);
		answer->again = answer->again || (outcome == OUTCOME_NEXT && answer->open);
		if (outcome != OUTCOME_AUTHENTICATE)
			return outcome;
		if (!tokens)
			break;
		/* A token ends after some minutes, and with its member. */
		memory_free(client->authorization);
		client->authorization = NULL;
		client->without_authentication = false;
		outcome = OUTCOME_ANSWERED;
	}
	return OUTCOME_REFUSED;
}

/* When the attempt with one of `left` members ends. */
static int64_t attempt_end(const struct client *client, size_t left,
			   const struct spk_lock_call *call)
{
	int64_t now = http_now();
	int64_t share = (call->deadline_ns - now) / (int64_t)(left ? left : 1);
	int64_t most = client->settings.read_timeout_ns;

	if (client->count > 1 && most > ATTEMPT_NS)
		most = ATTEMPT_NS;
	return now + (share < most ? share : most);
}

/* Asks each member once, those under suspicion last. */
static enum outcome ask_around(struct client *client, const struct client_request *request,
			       struct client_answer *answer, struct spk_lock_call *call)
{
	size_t first = client->current, left = client->count;
	enum outcome outcome, worst = OUTCOME_TIMEOUT; /* replaced by that of any member */
	int64_t now = http_now();

	for (size_t i = 0; i < client->count; i++)
		client->members[i].asked = false;
	for (int suspects = 0; suspects < 2; suspects++) {
		for (size_t i = 0; i < client->count; i++) {
			size_t index = (first + i) % client->count;
			struct member *member = &client->members[index];

			if (member->asked || (member->suspect_until > now && !suspects))
				continue;
			member->asked = true;
			outcome = try_member(client, member, request, answer,
					     attempt_end(client, left--, call), call);
			if (outcome == OUTCOME_ANSWERED) {
				member->suspect_until = 0;
				client->current = index;
				return outcome;
			}
			if (outcome == OUTCOME_HOPELESS)
				worst = worst == OUTCOME_NEXT ? worst : OUTCOME_REFUSED;
			else if (outcome != OUTCOME_NEXT || (answer->open && request->once))
				return outcome;
			else
				worst = OUTCOME_NEXT;
			member->suspect_until = http_now() + SUSPECT_NS;
		}
	}
	return worst;
}

static enum spk_lock_status status_of(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_ANSWERED:
		return SPK_LOCK_OK;
	case OUTCOME_CANCELLED:
		return SPK_LOCK_CANCELLED;
	case OUTCOME_TIMEOUT:
		return SPK_LOCK_TIMEOUT;
	case OUTCOME_REFUSED:
		return SPK_LOCK_REFUSED;
	default:
		return SPK_LOCK_UNREACHABLE;
	}
}

enum spk_lock_status client_sleep(struct client *client, int64_t until, struct spk_lock_call *call)
{
	bool beyond = until > call->deadline_ns;

	if (http_sleep(client->http, beyond ? call->deadline_ns : until, call->cancel_fd) ==
	    HTTP_CANCELLED)
		return SPK_LOCK_CANCELLED;
	return beyond ? SPK_LOCK_TIMEOUT : SPK_LOCK_OK;
}

enum spk_lock_status client_do(struct client *client, const struct client_request *request,
			       struct client_answer *answer, struct spk_lock_call *call)
{
	enum spk_lock_status status = find_members(client, call);
	int64_t give_up = http_now() + GIVE_UP_NS, pause = ROUND_PAUSE_NS;
	enum outcome outcome;

	*answer = (struct client_answer){0};
	if (status != SPK_LOCK_OK)
		return status;
	for (;;) {
		outcome = ask_around(client, request, answer, call);
		/* They may have been replaced by others, whom the next call finds. */
		if (outcome == OUTCOME_NEXT || outcome == OUTCOME_TIMEOUT)
			client->look_up = client->settings.srv_domain != NULL;
		if (outcome != OUTCOME_NEXT || (answer->open && request->once) ||
		    http_now() >= give_up)
			return status_of(outcome);
		/* The reason of before is kept: it says more than that the time is over. */
		status = client_sleep(client, http_now() + pause, call);
		if (status != SPK_LOCK_OK)
			return status;
		pause = pause * 2 < ROUND_PAUSE_MAX_NS ? pause * 2 : ROUND_PAUSE_MAX_NS;
	}
}

struct http_stream *client_stream(struct client *client, const char *path, const char *body)
{
	struct http_stream *stream;
	struct text url = {0};

	text_printf(&url, "%s%s", client->members[client->current].url, path);
	stream = http_stream_open(client->http,
				  &(struct http_request){.method = "POST",
							 .url = url.bytes,
							 .type = CLIENT_JSON,
							 .body = body,
							 .authorization = client->authorization});
	text_free(&url);
	return stream;
}

enum spk_lock_status client_stream_next(struct client *client, struct http_stream *stream,
					cJSON **ret_json, int64_t until, struct spk_lock_call *call)
{
	const struct member *member = &client->members[client->current];
	char why[CURL_ERROR_SIZE] = "";
	const char *line = NULL;
	long status = 0;

	*ret_json = NULL;
	switch (http_stream_line(stream, &line, &status, why, until, call->cancel_fd)) {
	case HTTP_ANSWERED:
		*ret_json = json_parse(line, strlen(line));
		if (status == 200 && cJSON_IsObject(*ret_json))
			return SPK_LOCK_OK;
		reason_set(&call->reason, "%s: the watch was refused: %s", member->url,
			   cJSON_IsObject(*ret_json) ? message_of(*ret_json) : "not JSON");
		cJSON_Delete(*ret_json);
		*ret_json = NULL;
		return SPK_LOCK_UNREACHABLE;
	case HTTP_TIMEOUT:
		return SPK_LOCK_TIMEOUT;
	case HTTP_CANCELLED:
		return SPK_LOCK_CANCELLED;
	default:
		reason_set(&call->reason, "%s: the watch was cut: %s", member->url, why);
		return SPK_LOCK_UNREACHABLE;
	}
}
