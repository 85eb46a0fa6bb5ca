/* SPDX-License-Identifier: Apache-2.0 */
/* Tells a web server: each event is posted to a URL as a JSON object. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../net/credentials.h"
#include "../net/dial.h"

SPK_API extern const struct spk_notify_driver spk_driver;

#define CONNECT_TIMEOUT_MS 5000L
/* Of one event. */
#define LIMIT_NS INT64_C(10000000000)
#define SLEEP_MAX_MS 1000

struct webhook {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	char *url, *ca_file;
	char why[CURL_ERROR_SIZE];
};

static void wipe_headers(struct curl_slist *headers)
{
	for (struct curl_slist *each = headers; each; each = each->next)
		explicit_bzero(each->data, strlen(each->data));
	curl_slist_free_all(headers);
}

static void webhook_free(struct webhook *webhook)
{
	curl_easy_cleanup(webhook->easy);
	curl_multi_cleanup(webhook->multi);
	wipe_headers(webhook->headers);
	free(webhook->url);
	free(webhook->ca_file);
	free(webhook);
}

static bool add_header(struct webhook *webhook, const char *header)
{
	struct curl_slist *headers = curl_slist_append(webhook->headers, header);

	if (headers)
		webhook->headers = headers;
	return headers != NULL;
}

/* `authorization = Bearer ...` of the file. */
static int add_authorization(struct webhook *webhook, const char *file,
			     struct spk_reason_buffer *reason)
{
	struct credential authorization = {.name = "authorization"};
	char header[CREDENTIAL_SIZE + sizeof("Authorization: ")];
	bool added = true;

	if (credentials_read(file, &authorization, 1, reason) < 0)
		return -1;
	snprintf(header, sizeof(header), "Authorization: %s", authorization.value);
	if (*authorization.value)
		added = add_header(webhook, header);
	credentials_wipe(&authorization, 1);
	explicit_bzero(header, sizeof(header));
	return added ? 0 : net_refuse(reason, "out of memory");
}

static int check_url(const char *url, const char *credentials, struct spk_reason_buffer *reason)
{
	bool https = url && strncmp(url, "https://", 8) == 0;

	if (!https && !(url && strncmp(url, "http://", 7) == 0))
		return net_refuse(reason, "'webhook.url' is no URL of http or https");
	if (credentials && !https && strncmp(url, "http://127.0.0.1:", 17) != 0 &&
	    strncmp(url, "http://localhost:", 17) != 0)
		return net_refuse(reason, "'webhook.credentials' is set and 'webhook.url' is not "
					  "https: it would be sent in the open");
	return 0;
}

static void *open_webhook(const struct spk_driver_setting *given, size_t count,
			  struct spk_reason_buffer *reason)
{
	const char *credentials = net_setting(given, count, "webhook.credentials");
	const char *ca_file = net_setting(given, count, "webhook.ca_file");
	const char *url = net_setting(given, count, "webhook.url");
	struct webhook *webhook;

	if (check_url(url, credentials, reason) < 0)
		return NULL;
	webhook = calloc(1, sizeof(*webhook));
	if (!webhook || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(webhook);
		net_refuse(reason, "cannot use libcurl");
		return NULL;
	}
	webhook->multi = curl_multi_init();
	webhook->easy = curl_easy_init();
	webhook->url = strdup(url);
	webhook->ca_file = ca_file ? strdup(ca_file) : NULL;
	if (!webhook->multi || !webhook->easy || !webhook->url || (ca_file && !webhook->ca_file) ||
	    !add_header(webhook, "Content-Type: application/json") ||
	    !add_header(webhook, "Expect:"))
		net_refuse(reason, "cannot use libcurl");
	else if (!credentials || add_authorization(webhook, credentials, reason) == 0)
		return webhook;
	webhook_free(webhook);
	return NULL;
}

static void close_webhook(void *data, struct spk_notify_call *call)
{
	webhook_free(data);
}

/* What it answers beside the status is of no use to us. */
static size_t pass_over(char *bytes, size_t size, size_t count, void *data)
{
	return size * count;
}

static void prepare(struct webhook *webhook, const char *event)
{
	CURL *easy = webhook->easy;

	webhook->why[0] = '\0';
	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_URL, webhook->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "spicerack");
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(event));
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, event);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, webhook->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, pass_over);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, webhook->why);
	if (webhook->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, webhook->ca_file);
}

/* Lets it go on until it is over, or the call is. -1: the call is. */
static int perform(struct webhook *webhook, const struct spk_notify_call *call, CURLcode *ret_code)
{
	struct curl_waitfd cancel = {.fd = call->cancel_fd, .events = CURL_WAIT_POLLIN};
	const CURLMsg *message;
	int running, left_over;

	for (;;) {
		int64_t left;

		curl_multi_perform(webhook->multi, &running);
		while ((message = curl_multi_info_read(webhook->multi, &left_over))) {
			if (message->msg != CURLMSG_DONE)
				continue;
			*ret_code = message->data.result;
			return 0;
		}
		left = (call->deadline_ns - net_now()) / 1000000;
		if (left <= 0 || (call->cancel_fd >= 0 && cancel.revents))
			return -1;
		curl_multi_poll(webhook->multi, &cancel, call->cancel_fd >= 0,
				left < SLEEP_MAX_MS ? (int)left + 1 : SLEEP_MAX_MS, NULL);
	}
}

/* What a failure of libcurl's means. */
static enum spk_notify_status judge_failure(struct webhook *webhook, CURLcode code,
					    struct spk_reason_buffer *reason)
{
	net_refuse(reason, "%s", *webhook->why ? webhook->why : curl_easy_strerror(code));
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return SPK_NOTIFY_FAILED;
	default:
		return SPK_NOTIFY_AGAIN;
	}
}

static enum spk_notify_status judge_answer(struct webhook *webhook,
					   struct spk_reason_buffer *reason)
{
	long status = 0;

	curl_easy_getinfo(webhook->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300)
		return SPK_NOTIFY_SENT;
	net_refuse(reason, "the server answered %ld", status);
	return status >= 500 || status == 408 || status == 429 ? SPK_NOTIFY_AGAIN
							       : SPK_NOTIFY_FAILED;
}

static enum spk_notify_status send_notice(void *data, const struct spk_notice *notice,
					  struct spk_notify_call *call)
{
	const int64_t limit = net_now() + LIMIT_NS;
	enum spk_notify_status status;
	struct webhook *webhook = data;
	CURLcode code = CURLE_OK;

	if (!notice->event)
		return SPK_NOTIFY_SENT;
	if (limit < call->deadline_ns)
		call->deadline_ns = limit;
	prepare(webhook, notice->event);
	curl_multi_add_handle(webhook->multi, webhook->easy);
	if (perform(webhook, call, &code) < 0) {
		net_refuse(&call->reason, "the server does not answer in time");
		status = SPK_NOTIFY_AGAIN;
	} else if (code != CURLE_OK) {
		status = judge_failure(webhook, code, &call->reason);
	} else {
		status = judge_answer(webhook, &call->reason);
	}
	curl_multi_remove_handle(webhook->multi, webhook->easy);
	return status;
}

const struct spk_notify_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_notify_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "notify",
		   .name = "webhook"},
	.open = open_webhook,
	.close = close_webhook,
	.send = send_notice,
};
