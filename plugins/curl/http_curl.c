/* SPDX-License-Identifier: Apache-2.0 */
/* The driver of HTTP: libcurl, one request at a time, connections kept between them. */
#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "../base/memory.h"
#include "../base/text.h"
#include "../net/curlstart.h"

SPK_API extern const struct spk_http_driver spk_driver;

#define MILLISECOND_NS INT64_C(1000000)
#define SECOND_NS INT64_C(1000000000)
/* The longest sleep: timeouts of poll() do not count a suspended machine. */
#define SLEEP_MAX_NS SECOND_NS
/* Idle connections that are kept. */
#define KEPT_CONNECTIONS 16L

struct client {
	CURLM *multi;
	CURL *easy;
	struct text redirect; /* of the reply given out last */
};

/* One request on its way. */
struct transfer {
	const struct spk_http_order *order;
	const struct spk_http_calls *calls;
	void *data;
	CURL *easy;
	struct curl_slist *headers;
	int64_t heard_ns; /* when the last byte went one way or the other */
	int64_t moved;    /* bytes until then */
	bool left;        /* the connection is there: the request may have arrived */
	bool stopped;     /* the caller wants no more */
	char why[CURL_ERROR_SIZE];
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void close_client(void *data)
{
	struct client *client = data;

	if (!client)
		return;
	curl_easy_cleanup(client->easy);
	curl_multi_cleanup(client->multi);
	text_free(&client->redirect);
	memory_free(client);
}

static void *open_client(struct spk_reason_buffer *reason)
{
	struct client *client;

	if (curl_start(reason) < 0)
		return NULL;
	client = memory_new(1, sizeof(*client));
	client->multi = curl_multi_init();
	client->easy = curl_easy_init();
	if (client->multi && client->easy) {
		curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
		return client;
	}
	reason_set(reason, "cannot use libcurl");
	close_client(client);
	return NULL;
}

/* ---- what libcurl tells ---- */

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
	struct transfer *transfer = data;

	if (transfer->calls->body(transfer->data, bytes, size * count))
		return size * count;
	transfer->stopped = true;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* `Name: value` with its end of line; a status line has no colon before its first blank. */
static void tell_header(const struct transfer *transfer, const char *line, size_t length)
{
	size_t name = 0, value;
	char *copy;

	while (name < length && line[name] != ':' && !is_blank(line[name]))
		name++;
	if (name == 0 || name == length || line[name] != ':' || memchr(line, '\0', length))
		return;
	for (value = name + 1; value < length && is_blank(line[value]);)
		value++;
	while (length > value && is_blank(line[length - 1]))
		length--;
	copy = memory_copy_n(line, length);
	copy[name] = '\0';
	transfer->calls->header(transfer->data, copy, copy + value);
	memory_free(copy);
}

static size_t take_header(char *bytes, size_t size, size_t count, void *data)
{
	struct transfer *transfer = data;
	long status = 0;

	/* Answers that are only preliminary have some, too. */
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200)
		tell_header(transfer, bytes, size * count);
	return size * count;
}

/* The connection is there; next the request is sent. */
static int note_departure(void *data, char *remote, char *local, int remote_port, int local_port)
{
	struct transfer *transfer = data;

	transfer->left = true;
	transfer->heard_ns = now_ns();
	return CURL_PREREQFUNC_OK;
}

static int note_progress(void *data, curl_off_t expected, curl_off_t received, curl_off_t to_send,
			 curl_off_t sent)
{
	struct transfer *transfer = data;

	if (received + sent != transfer->moved) {
		transfer->moved = received + sent;
		transfer->heard_ns = now_ns();
	}
	return 0;
}

/* ---- a request ---- */

static bool append(struct transfer *transfer, const char *line)
{
	struct curl_slist *headers = curl_slist_append(transfer->headers, line);

	if (headers)
		transfer->headers = headers;
	return headers != NULL;
}

static bool add_line(struct transfer *transfer, const char *name, const char *value)
{
	struct text line = {0};
	bool added;

	/* A header without a value is written with a semicolon. */
	text_printf(&line, "%s%s%s", name, *value ? ": " : ";", value);
	added = append(transfer, line.bytes);
	text_free(&line);
	return added;
}

static bool set_headers(CURL *easy, struct transfer *transfer)
{
	/* What libcurl would add by itself. */
	static const char *const unwanted[] = {"Expect:", "Content-Type:"};
	const struct spk_http_order *order = transfer->order;
	bool typed = false, added = true;

	for (size_t i = 0; i < order->header_count && added; i++) {
		typed = typed || strcasecmp(order->headers[i].name, "Content-Type") == 0;
		added = add_line(transfer, order->headers[i].name, order->headers[i].value);
	}
	for (size_t i = 0; i < 2U - typed && added; i++)
		added = append(transfer, unwanted[i]);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	return added;
}

static void set_security(CURL *easy, const struct spk_http_order *order)
{
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	if (order->user) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(easy, CURLOPT_USERNAME, order->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, order->password ? order->password : "");
	}
	if (order->ca_file) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, order->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (order->cert_file)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, order->cert_file);
	if (order->key_file)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, order->key_file);
}

static void set_connection(CURL *easy, const struct spk_http_order *order)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)(order->connect_timeout_ns / MILLISECOND_NS + 1));
	/* The environment has no say. */
	curl_easy_setopt(easy, CURLOPT_PROXY, order->proxy ? order->proxy : "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	/* What is told of a URL is what is sent. */
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	/* libcurl sends again by itself what a kept connection did not answer at all. */
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)(order->once == 1));
}

static void set_body(CURL *easy, const struct spk_http_order *order)
{
	if (strcmp(order->method, "HEAD") == 0)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (order->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)order->body_length);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, order->body);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, order->method);
}

static void set_calls(CURL *easy, struct transfer *transfer)
{
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, note_departure);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, note_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->why);
}

static enum spk_http_end start(struct client *client, struct transfer *transfer,
			       struct spk_reason_buffer *reason)
{
	CURL *easy = client->easy;

	curl_easy_reset(easy);
	set_security(easy, transfer->order);
	set_connection(easy, transfer->order);
	set_body(easy, transfer->order);
	set_calls(easy, transfer);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
	if (curl_easy_setopt(easy, CURLOPT_URL, transfer->order->url) == CURLE_OK &&
	    set_headers(easy, transfer) && curl_multi_add_handle(client->multi, easy) == CURLM_OK)
		return SPK_HTTP_ANSWERED;
	reason_set(reason, "cannot use libcurl");
	return SPK_HTTP_UNUSABLE;
}

static void stop(struct client *client, struct transfer *transfer)
{
	curl_multi_remove_handle(client->multi, client->easy);
	/* Frees its copies, of which some are secret. */
	curl_easy_reset(client->easy);
	curl_slist_free_all(transfer->headers);
}

/* ---- its course ---- */

/* Lets it go on as far as it can. Whether it is over. */
static bool perform(struct client *client, CURLcode *ret_code)
{
	const CURLMsg *message;
	int running, left_over;

	curl_multi_perform(client->multi, &running);
	while ((message = curl_multi_info_read(client->multi, &left_over))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		*ret_code = message->data.result;
		return true;
	}
	return false;
}

/* Sleeps until something happens. ANSWERED: it may go on. */
static enum spk_http_end pause_for(struct client *client, const struct transfer *transfer,
				   struct spk_reason_buffer *reason)
{
	const struct spk_http_order *order = transfer->order;
	struct curl_waitfd cancel = {.fd = order->cancel_fd, .events = CURL_WAIT_POLLIN};
	int64_t now = now_ns(), left = order->deadline_ns - now;
	int64_t silent = transfer->heard_ns + order->read_timeout_ns - now;

	if (left <= 0 || (transfer->left && silent <= 0)) {
		reason_set(reason, left <= 0 ? "no answer in time" : "no byte for %lld.%lld s",
			   (long long)(order->read_timeout_ns / SECOND_NS),
			   (long long)(order->read_timeout_ns % SECOND_NS / (SECOND_NS / 10)));
		return transfer->left ? SPK_HTTP_LATE : SPK_HTTP_UNSENT;
	}
	if (transfer->left && silent < left)
		left = silent;
	if (left > SLEEP_MAX_NS)
		left = SLEEP_MAX_NS;
	curl_multi_poll(client->multi, &cancel, order->cancel_fd >= 0,
			(int)(left / MILLISECOND_NS) + 1, NULL);
	if (order->cancel_fd < 0 || !cancel.revents)
		return SPK_HTTP_ANSWERED;
	reason_set(reason, "interrupted");
	return SPK_HTTP_CANCELLED;
}

static enum spk_http_end judge(CURLcode code, const struct transfer *transfer)
{
	if (code == CURLE_OK)
		return SPK_HTTP_ANSWERED;
	if (transfer->stopped)
		return SPK_HTTP_STOPPED;
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_USE_SSL_FAILED:
		return SPK_HTTP_DISTRUSTED;
	/* HTTP 0.9 is such a protocol. */
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return transfer->left ? SPK_HTTP_NONSENSE : SPK_HTTP_UNUSABLE;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return SPK_HTTP_NONSENSE;
	default:
		return transfer->left ? SPK_HTTP_BROKEN : SPK_HTTP_UNSENT;
	}
}

static enum spk_http_end run(struct client *client, struct transfer *transfer,
			     struct spk_reason_buffer *reason)
{
	CURLcode code = CURLE_OK;
	enum spk_http_end end;

	while (!perform(client, &code)) {
		end = pause_for(client, transfer, reason);
		if (end != SPK_HTTP_ANSWERED)
			return end;
	}
	end = judge(code, transfer);
	if (end != SPK_HTTP_ANSWERED)
		reason_set(reason, "%s", *transfer->why ? transfer->why : curl_easy_strerror(code));
	return end;
}

static void take_reply(struct client *client, struct spk_http_reply *reply)
{
	curl_off_t retry_after = 0;
	const char *redirect = NULL;
	long status = 0;

	curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(client->easy, CURLINFO_REDIRECT_URL, &redirect);
	curl_easy_getinfo(client->easy, CURLINFO_RETRY_AFTER, &retry_after);
	reply->status = (int32_t)status;
	text_clear(&client->redirect);
	if (redirect) {
		text_puts(&client->redirect, redirect);
		reply->redirect = client->redirect.bytes;
	}
	if (retry_after > 0)
		reply->retry_after_ns = retry_after > INT64_MAX / SECOND_NS
						? INT64_MAX
						: retry_after * SECOND_NS;
}

static enum spk_http_end exchange(void *data, const struct spk_http_order *order,
				  const struct spk_http_calls *calls, void *calls_data,
				  struct spk_http_reply *reply)
{
	struct client *client = data;
	struct transfer transfer = {
		.order = order, .calls = calls, .data = calls_data, .easy = client->easy};
	enum spk_http_end end;

	end = start(client, &transfer, &reply->reason);
	if (end == SPK_HTTP_ANSWERED)
		end = run(client, &transfer, &reply->reason);
	take_reply(client, reply);
	stop(client, &transfer);
	return end;
}

const struct spk_http_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_http_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "http",
		   .name = "curl"},
	.open = open_client,
	.close = close_client,
	.exchange = exchange,
};
