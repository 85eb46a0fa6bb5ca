/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of an API over HTTP: a session, a base, and answers that are no errors. */
#include "httpsession.h"

#include <string.h>
#include <strings.h>

#include <spicerack/error.h>
#include <spicerack/text.h>

#include "../runtime/copy.h"
#include "../runtime/misuse.h"
#include "../runtime/printable.h"
#include "httpurl.h"

#define API_MAGIC 0x6874611eU
#define SHOWN 200 /* bytes of a body in a message */

struct spk_api {
	uint32_t magic;
	struct spk *spk;
	const char *base; /* without a slash at its end */
	struct spk_http *http;
};

static const char *base_of(struct spk *spk, const char *url)
{
	struct http_url parts;
	struct err err;
	size_t length;

	if (http_url_read(url, &parts, &err) < 0)
		spk_raise(spk, "http.url", NULL, "not such a URL as can be asked for: %s",
			  err.text);
	if (parts.queried || url[parts.length])
		spk_raise(spk, "http.url", NULL,
			  "not the base of an API: it has a query or a fragment");
	for (length = parts.length; url[length - 1] == '/';)
		length--;
	return copy_bytes(spk, url, length);
}

static bool has_accept(spk_strings headers)
{
	for (size_t i = 0; i < headers.count; i++)
		if (strncasecmp(headers.items[i], "Accept:", 7) == 0)
			return true;
	return false;
}

struct spk_api *spk_api(struct spk *spk, const char *base_url,
			const struct spk_http_options *options)
{
	struct spk_http_options *how;
	struct spk_api *api;

	CHECK_SPK(spk);
	CHECK_GIVEN(base_url);
	api = SPK_NEW(spk, struct spk_api);
	api->spk = spk;
	api->base = base_of(spk, base_url);
	api->http = spk_http(spk, options);
	how = &api->http->how;
	if (!has_accept(how->headers))
		spk_append(spk, &how->headers, "Accept: application/json");
	api->magic = API_MAGIC;
	return api;
}

static bool is_accepted(const struct http_call *call, int status)
{
	for (size_t i = 0; i < call->how.accepted.count; i++)
		if (call->how.accepted.items[i] == status)
			return true;
	return status < 300;
}

/* The beginning of what the server says about it. */
static const char *words_of(const struct spk_http_answer *answer)
{
	size_t length = answer->length < SHOWN ? answer->length : SHOWN;
	const char *location = spk_http_header(answer, "Location");
	struct buf text = {0};

	if (answer->status < 400 && location) {
		buf_puts(&text, ", it is at ");
		printable_add(&text, location, strlen(location));
	} else if (length) {
		buf_puts(&text, ": ");
		printable_add(&text, answer->body, length);
		if (answer->length > SHOWN)
			buf_puts(&text, "...");
	}
	return copy_buf(answer->spk, &text);
}

static const struct spk_http_answer *call_api(const char *function, struct spk_api *api,
					      const struct spk_http_request *request, bool write)
{
	struct http_call call = {
		.http = api->http,
		.how = http_request_adopt(function, request, write),
		.write = write,
	};
	const struct spk_http_answer *answer;

	if (call.how.url[0] != '/')
		session_misuse(function, "the path '%s' does not begin with a slash", call.how.url);
	call.how.url = spk_format(api->spk, "%s%s", api->base, call.how.url);
	answer = http_make(&call);
	if (answer->sent && !is_accepted(&call, answer->status))
		spk_raise_with(api->spk, "http.status", NULL, answer,
			       "cannot %s %s: the server answered %d%s", answer->method,
			       answer->url, answer->status, words_of(answer));
	return answer;
}

const struct spk_http_answer *spk_api_read(struct spk_api *api,
					   const struct spk_http_request *request)
{
	CHECK_HANDLE(api, API_MAGIC);
	return call_api(__func__, api, request, false);
}

const struct spk_http_answer *spk_api_write(struct spk_api *api,
					    const struct spk_http_request *request)
{
	CHECK_HANDLE(api, API_MAGIC);
	return call_api(__func__, api, request, true);
}

const struct spk_json *spk_api_get(struct spk_api *api, const char *path)
{
	CHECK_HANDLE(api, API_MAGIC);
	return spk_http_json(call_api(__func__, api, SPK_HTTP_REQUEST("GET", path), false));
}
