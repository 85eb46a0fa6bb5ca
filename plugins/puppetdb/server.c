/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/call.h"
#include "../base/json.h"
#include "../base/memory.h"

#define ANSWER_LIMIT ((size_t)64 * 1024 * 1024)
#define CONNECT_TIMEOUT_MS 10000L
#define NS_PER_SECOND INT64_C(1000000000)
#define URL_SHOWN 80
#define SAID_SHOWN 140

struct server {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	char *base, *verify, *cert, *key; /* `base` is the URL up to the endpoint */
	char *url;                        /* of the request at hand */
	unsigned int version;
	bool https;
	int64_t timeout_ns;
	char why[CURL_ERROR_SIZE];
};

/* What an answer is read into. */
struct answer {
	struct text *out;
	size_t length;
};

void server_free(struct server *server)
{
	if (!server)
		return;
	curl_easy_cleanup(server->easy);
	curl_multi_cleanup(server->multi);
	curl_slist_free_all(server->headers);
	memory_free(server->base);
	memory_free(server->verify);
	memory_free(server->cert);
	memory_free(server->key);
	memory_free(server->url);
	memory_free(server);
}

static char *copy(const char *text)
{
	return text ? memory_copy(text) : NULL;
}

static char *make_base(const struct server_settings *settings)
{
	/* An address of IPv6 needs brackets in a URL. */
	bool bare = strchr(settings->host, ':') && settings->host[0] != '[';
	struct text base = {0};

	text_printf(&base, "%s://%s%s%s:%" PRIu64 "%s", settings->scheme, bare ? "[" : "",
		    settings->host, bare ? "]" : "", settings->port,
		    settings->version == 3 ? "/v3/" : "/pdb/query/v4/");
	return base.bytes;
}

struct server *server_new(const struct server_settings *settings, struct spk_reason_buffer *reason)
{
	struct server *server = memory_new(1, sizeof(*server));

	server->base = make_base(settings);
	server->verify = copy(settings->verify);
	server->cert = copy(settings->cert);
	server->key = copy(settings->key);
	server->version = (unsigned int)settings->version;
	server->https = strcmp(settings->scheme, "https") == 0;
	server->timeout_ns = (int64_t)settings->timeout * NS_PER_SECOND;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
		server->multi = curl_multi_init();
		server->easy = curl_easy_init();
		server->headers = curl_slist_append(NULL, "Content-Type: application/json");
	}
	if (server->multi && server->easy && server->headers)
		return server;
	reason_set(reason, "cannot use libcurl");
	server_free(server);
	return NULL;
}

/* ---- a request ---- */

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
	struct answer *answer = data;

	if (size * count > ANSWER_LIMIT - answer->length)
		return 0;
	text_add(answer->out, bytes, size * count);
	answer->length += size * count;
	return size * count;
}

static void set_security(const struct server *server)
{
	CURL *easy = server->easy;
	struct stat st;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, server->https ? "https" : "http");
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (strcmp(server->verify, "false") == 0) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	} else if (server->verify[0] == '/') {
		bool directory = stat(server->verify, &st) == 0 && S_ISDIR(st.st_mode);

		curl_easy_setopt(easy, directory ? CURLOPT_CAPATH : CURLOPT_CAINFO, server->verify);
	}
	if (server->cert) {
		curl_easy_setopt(easy, CURLOPT_SSLCERT, server->cert);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, server->key ? server->key : server->cert);
	}
}

/* API 4 takes the query in a body, API 3 in the URL. */
static void set_query(struct server *server, const char *endpoint, const char *ast,
		      struct text *body)
{
	struct text url = {0};
	cJSON *json;
	char *printed;

	text_printf(&url, "%s%s", server->base, endpoint);
	memory_free(server->url);
	server->url = memory_copy(url.bytes);
	if (server->version == 3) {
		text_puts(&url, "?query=");
		text_add_escaped(&url, ast);
		curl_easy_setopt(server->easy, CURLOPT_URL, url.bytes);
	} else {
		json = cJSON_CreateObject();
		cJSON_AddItemToObject(json, "query", cJSON_CreateString(ast));
		printed = cJSON_PrintUnformatted(json);
		text_puts(body, printed);
		cJSON_free(printed);
		cJSON_Delete(json);
		curl_easy_setopt(server->easy, CURLOPT_URL, url.bytes);
		curl_easy_setopt(server->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(server->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)body->length);
		curl_easy_setopt(server->easy, CURLOPT_POSTFIELDS, body->bytes);
	}
	text_free(&url);
}

static void prepare(struct server *server, const char *endpoint, const char *ast, struct text *body,
		    struct answer *answer)
{
	CURL *easy = server->easy;

	server->why[0] = '\0';
	curl_easy_reset(easy);
	set_security(server);
	set_query(server, endpoint, ast, body);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	/* It is a server of the site's own, and is sent the names of its hosts. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "spicerack");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, server->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, server->why);
}

/* Lets it go on until it is over, or the call is. False: the call is, with the reason. */
static bool perform(struct server *server, struct spk_inventory_call *call, CURLcode *ret_code)
{
	struct curl_waitfd cancel = {.fd = call->cancel_fd, .events = CURL_WAIT_POLLIN};
	const CURLMsg *message;
	int running, left_over;

	for (;;) {
		curl_multi_perform(server->multi, &running);
		while ((message = curl_multi_info_read(server->multi, &left_over))) {
			if (message->msg != CURLMSG_DONE)
				continue;
			*ret_code = message->data.result;
			return true;
		}
		if (!call_goes_on(call))
			return false;
		curl_multi_poll(server->multi, &cancel, call->cancel_fd >= 0,
				call_sleep(call->deadline_ns), NULL);
	}
}

/* What it says of an error is a line of text, or of JSON. */
static int judge(struct server *server, const struct answer *answer, CURLcode code,
		 struct spk_reason_buffer *reason)
{
	const char *said = answer->out->bytes ? answer->out->bytes : "";
	long status = 0;

	curl_easy_getinfo(server->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_WRITE_ERROR)
		reason_set(reason, "%.*s: the answer is longer than %zu bytes", URL_SHOWN,
			   server->url, ANSWER_LIMIT);
	else if (code != CURLE_OK)
		reason_set(reason, "%.*s: %.*s", URL_SHOWN, server->url, SAID_SHOWN,
			   *server->why ? server->why : curl_easy_strerror(code));
	else if (status != 200)
		reason_set(reason, "%.*s: the server answered %ld%s%.*s", URL_SHOWN, server->url,
			   status, *said ? ": " : "",
			   (int)(strcspn(said, "\r\n") < SAID_SHOWN ? strcspn(said, "\r\n")
								    : SAID_SHOWN),
			   said);
	else
		return 0;
	return -1;
}

int server_query(struct server *server, const char *endpoint, const char *ast, struct text *out,
		 struct spk_inventory_call *call)
{
	int64_t limit = call_now() + server->timeout_ns;
	struct answer answer = {.out = out};
	struct spk_reason_buffer why;
	CURLcode code = CURLE_OK;
	struct text body = {0};
	int rc = -1;

	if (limit < call->deadline_ns)
		call->deadline_ns = limit;
	prepare(server, endpoint, ast, &body, &answer);
	curl_multi_add_handle(server->multi, server->easy);
	if (perform(server, call, &code)) {
		rc = judge(server, &answer, code, &call->reason);
	} else {
		why = call->reason;
		reason_set(&call->reason, "%.*s: %.*s", URL_SHOWN, server->url, SAID_SHOWN,
			   why.text);
	}
	curl_multi_remove_handle(server->multi, server->easy);
	text_free(&body);
	return rc;
}
