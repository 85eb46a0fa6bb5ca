/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "../base/memory.h"
#include "../net/curlstart.h"

#define CONNECT_TIMEOUT_MS 3000L
#define REDIRECTS 3L
/* A peer that is gone without a word is noticed: a stream may be silent for hours. */
#define KEEPALIVE_IDLE 5L
#define KEEPALIVE_INTERVAL 3L
#define UNACKNOWLEDGED_MS 10000U
/* The longest sleep: timeouts of poll() do not count a suspended machine. */
#define SLEEP_MAX_NS NS_PER_SECOND

struct http {
	const struct settings *settings;
	CURLM *multi;
	CURL *easy; /* of http_do() */
};

/* One request on its way. */
struct transfer {
	struct http_answer answer;
	size_t limit; /* of the answer */
	struct curl_slist *headers;
	bool done;
	bool too_long;
	CURLcode code;
};

struct http_stream {
	struct http *http;
	CURL *easy;
	struct transfer transfer;
	size_t taken; /* of the body, with the line given out last */
};

int64_t http_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

struct http *http_new(const struct settings *settings, struct spk_reason_buffer *reason)
{
	struct http *http;

	if (curl_start(reason) < 0)
		return NULL;
	http = memory_new(1, sizeof(*http));
	http->settings = settings;
	http->multi = curl_multi_init();
	http->easy = curl_easy_init();
	if (http->multi && http->easy)
		return http;
	reason_set(reason, "cannot use libcurl");
	http_free(http);
	return NULL;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->easy);
	curl_multi_cleanup(http->multi);
	memory_free(http);
}

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
	struct transfer *transfer = data;

	if (size * count > transfer->limit - transfer->answer.body.length) {
		transfer->too_long = true;
		return 0;
	}
	text_add(&transfer->answer.body, bytes, size * count);
	return size * count;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *data)
{
	static const char name[] = "X-Etcd-Cluster-Id:";
	struct transfer *transfer = data;
	size_t length = size * count;
	char value[32];

	if (length > sizeof(name) - 1 && length - (sizeof(name) - 1) < sizeof(value) &&
	    strncasecmp(bytes, name, sizeof(name) - 1) == 0) {
		length -= sizeof(name) - 1;
		memcpy(value, bytes + sizeof(name) - 1, length);
		value[length] = '\0';
		transfer->answer.cluster = strtoull(value, NULL, 16);
	}
	return size * count;
}

static int set_socket(void *data, curl_socket_t fd, curlsocktype purpose)
{
	unsigned unacknowledged = UNACKNOWLEDGED_MS;
	int probes = 3;

	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged, sizeof(unacknowledged));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	return CURL_SOCKOPT_OK;
}

static void set_security(CURL *easy, const struct settings *settings)
{
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, settings->https ? "https" : "http");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, settings->https ? "https" : "http");
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (settings->ca)
		curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca);
	if (settings->cert)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, settings->cert);
	if (settings->key)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, settings->key);
}

static void set_connection(CURL *easy, const struct settings *settings)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, set_socket);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	if (!settings->proxies)
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

static void add_header(struct transfer *transfer, const char *name, const char *value)
{
	struct text line = {0};

	text_printf(&line, "%s: %s", name, value);
	transfer->headers = curl_slist_append(transfer->headers, line.bytes);
	text_free(&line);
}

static void start(struct http *http, CURL *easy, struct transfer *transfer,
		  const struct http_request *request)
{
	curl_easy_reset(easy);
	transfer->limit = http->settings->answer_limit;
	set_security(easy, http->settings);
	set_connection(easy, http->settings);
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body);
		add_header(transfer, "Content-Type", request->type);
		transfer->headers = curl_slist_append(transfer->headers, "Expect:");
	}
	/* Without a leader a member answers that at once instead of after its timeout. */
	add_header(transfer, "Grpc-Metadata-hasleader", "true");
	if (request->authorization)
		add_header(transfer, "Authorization", request->authorization);
	if (request->redirect) {
		curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
		curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS);
	}
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->answer.why);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_multi_add_handle(http->multi, easy);
}

static void stop(struct http *http, CURL *easy, struct transfer *transfer)
{
	curl_multi_remove_handle(http->multi, easy);
	curl_easy_reset(easy);
	curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
}

/* Lets all transfers go on as far as they can, and marks those that are over. */
static void perform(struct http *http)
{
	const CURLMsg *message;
	int running, left;

	curl_multi_perform(http->multi, &running);
	while ((message = curl_multi_info_read(http->multi, &left))) {
		struct transfer *transfer = NULL;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		if (message->msg == CURLMSG_DONE && transfer) {
			transfer->done = true;
			transfer->code = message->data.result;
		}
	}
}

static bool is_cancelled(int cancel_fd)
{
	struct pollfd cancel = {.fd = cancel_fd, .events = POLLIN};

	return cancel_fd >= 0 && poll(&cancel, 1, 0) > 0;
}

/*
 * Sleeps until something happens, at most to `until`. ANSWERED: something did, or may have.
 */
static enum http_result pause_until(struct http *http, int64_t until, int cancel_fd)
{
	struct curl_waitfd cancel = {.fd = cancel_fd, .events = CURL_WAIT_POLLIN};
	int64_t left = until - http_now();

	if (is_cancelled(cancel_fd))
		return HTTP_CANCELLED;
	if (left <= 0)
		return HTTP_TIMEOUT;
	if (left > SLEEP_MAX_NS)
		left = SLEEP_MAX_NS;
	curl_multi_poll(http->multi, &cancel, cancel_fd >= 0, (int)(left / 1000000) + 1, NULL);
	return HTTP_ANSWERED;
}

enum http_result http_sleep(struct http *http, int64_t until, int cancel_fd)
{
	enum http_result result;

	do {
		perform(http);
		result = pause_until(http, until, cancel_fd);
	} while (result == HTTP_ANSWERED);
	return result;
}

/* Why it came to nothing, where libcurl has no words of its own. */
static void explain(struct transfer *transfer)
{
	if (transfer->too_long)
		snprintf(transfer->answer.why, CURL_ERROR_SIZE,
			 "the answer is longer than %zu bytes", transfer->limit);
	else if (!transfer->answer.why[0])
		snprintf(transfer->answer.why, CURL_ERROR_SIZE, "%s",
			 transfer->code ? curl_easy_strerror(transfer->code)
					: "the answer was cut");
}

static bool is_hopeless(CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM ||
	       code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR;
}

enum http_result http_do(struct http *http, const struct http_request *request,
			 struct http_answer *answer, int64_t until, int cancel_fd)
{
	struct transfer transfer = {0};
	enum http_result result;
	long sent = 0;

	start(http, http->easy, &transfer, request);
	for (;;) {
		perform(http);
		result = HTTP_ANSWERED;
		if (transfer.done)
			break;
		result = pause_until(http, until, cancel_fd);
		if (result != HTTP_ANSWERED)
			break;
	}
	if (result == HTTP_ANSWERED && transfer.code != CURLE_OK)
		result = HTTP_FAILED;
	if (result != HTTP_ANSWERED)
		explain(&transfer);
	curl_easy_getinfo(http->easy, CURLINFO_REQUEST_SIZE, &sent);
	curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &transfer.answer.status);
	transfer.answer.sent = sent > 0;
	transfer.answer.hopeless = transfer.too_long || is_hopeless(transfer.code);
	stop(http, http->easy, &transfer);
	*answer = transfer.answer;
	return result;
}

void http_answer_free(struct http_answer *answer)
{
	text_free(&answer->body);
}

struct http_stream *http_stream_open(struct http *http, const struct http_request *request)
{
	struct http_stream *stream = memory_new(1, sizeof(*stream));

	stream->http = http;
	stream->easy = curl_easy_init();
	if (stream->easy)
		start(http, stream->easy, &stream->transfer, request);
	else
		stream->transfer.done = true;
	return stream;
}

enum http_result http_stream_line(struct http_stream *stream, const char **ret_line,
				  long *ret_status, char why[static CURL_ERROR_SIZE], int64_t until,
				  int cancel_fd)
{
	struct transfer *transfer = &stream->transfer;
	struct text *body = &transfer->answer.body;
	enum http_result result;

	if (stream->taken)
		text_consume(body, stream->taken);
	stream->taken = 0;
	for (;;) {
		char *end;

		perform(stream->http);
		end = body->length ? memchr(body->bytes, '\n', body->length) : NULL;
		if (end) {
			*end = '\0';
			stream->taken = (size_t)(end - body->bytes) + 1;
			*ret_line = body->bytes;
			result = HTTP_ANSWERED;
			break;
		}
		result = HTTP_FAILED;
		if (transfer->done)
			break;
		result = pause_until(stream->http, until, cancel_fd);
		if (result != HTTP_ANSWERED)
			break;
	}
	if (stream->easy)
		curl_easy_getinfo(stream->easy, CURLINFO_RESPONSE_CODE, ret_status);
	if (result == HTTP_FAILED) {
		explain(transfer);
		memcpy(why, transfer->answer.why, CURL_ERROR_SIZE);
	}
	return result;
}

void http_stream_close(struct http_stream *stream)
{
	if (!stream)
		return;
	if (stream->easy) {
		stop(stream->http, stream->easy, &stream->transfer);
		curl_easy_cleanup(stream->easy);
	}
	http_answer_free(&stream->transfer.answer);
	memory_free(stream);
}
