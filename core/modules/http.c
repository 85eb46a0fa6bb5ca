/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP for cookbooks: sessions, and what is asked of answers. */
#include "httpsession.h"

#include <string.h>
#include <strings.h>

#include <spicerack/error.h>
#include <spicerack/json.h>
#include <spicerack/text.h>

#include "../runtime/copy.h"
#include "../runtime/misuse.h"
#include "httpurl.h"

struct spk_http *spk_http(struct spk *spk, const struct spk_http_options *options)
{
	struct spk_http *http;

	CHECK_SPK(spk);
	http = SPK_NEW(spk, struct spk_http);
	http->spk = spk;
	http->how = http_options_adopt(__func__, spk, options);
	http->magic = HTTP_MAGIC;
	return http;
}

static const struct spk_http_answer *call(const char *function, struct spk_http *http,
					  const struct spk_http_request *request, bool write)
{
	const struct http_call call = {
		.http = http,
		.how = http_request_adopt(function, request, write),
		.write = write,
	};

	return http_make(&call);
}

const struct spk_http_answer *spk_http_read(struct spk_http *http,
					    const struct spk_http_request *request)
{
	CHECK_HANDLE(http, HTTP_MAGIC);
	return call(__func__, http, request, false);
}

const struct spk_http_answer *spk_http_write(struct spk_http *http,
					     const struct spk_http_request *request)
{
	CHECK_HANDLE(http, HTTP_MAGIC);
	return call(__func__, http, request, true);
}

const struct spk_http_answer *spk_http_get(struct spk_http *http, const char *url)
{
	CHECK_HANDLE(http, HTTP_MAGIC);
	return call(__func__, http, SPK_HTTP_REQUEST("GET", url), false);
}

const char *spk_http_segment(struct spk *spk, const char *text)
{
	struct buf escaped = {0};

	CHECK_SPK(spk);
	CHECK_GIVEN(text);
	if (!*text || spk_streq(text, ".") || spk_streq(text, ".."))
		spk_raise(spk, "http.url", NULL, "'%s' cannot be a part of a path", text);
	http_url_add_escaped(&escaped, text, strlen(text));
	return copy_buf(spk, &escaped);
}

/* ---- answers ---- */

/* Refuses what no server has said. */
static void expect_sent(const struct spk_http_answer *answer)
{
	if (!answer->sent)
		spk_raise(answer->spk, "http.unsent", NULL,
			  "there is no answer to %s %s: a write is not sent in dry-run, ask "
			  "spk_http_sent() before",
			  answer->method, answer->url);
}

bool spk_http_sent(const struct spk_http_answer *answer)
{
	CHECK_HANDLE(answer, ANSWER_MAGIC);
	return answer->sent;
}

int spk_http_status(const struct spk_http_answer *answer)
{
	CHECK_HANDLE(answer, ANSWER_MAGIC);
	return answer->status;
}

const char *spk_http_url(const struct spk_http_answer *answer)
{
	CHECK_HANDLE(answer, ANSWER_MAGIC);
	expect_sent(answer);
	return answer->url;
}

const char *spk_http_body(const struct spk_http_answer *answer)
{
	CHECK_HANDLE(answer, ANSWER_MAGIC);
	expect_sent(answer);
	return answer->body;
}

size_t spk_http_length(const struct spk_http_answer *answer)
{
	CHECK_HANDLE(answer, ANSWER_MAGIC);
	expect_sent(answer);
	return answer->length;
}

const char *spk_http_header(const struct spk_http_answer *answer, const char *name)
{
	CHECK_HANDLE(answer, ANSWER_MAGIC);
	CHECK_NOT_EMPTY(name);
	expect_sent(answer);
	for (size_t i = 0; i < answer->names.count; i++)
		if (strcasecmp(answer->names.items[i], name) == 0)
			return answer->values.items[i];
	return NULL;
}

const struct spk_json *spk_http_json(const struct spk_http_answer *answer)
{
	CHECK_HANDLE(answer, ANSWER_MAGIC);
	expect_sent(answer);
	if (!answer->json)
		((struct spk_http_answer *)(uintptr_t)answer)->json = spk_json_parse(
			answer->spk,
			spk_format(answer->spk, "the answer to %s %s", answer->method, answer->url),
			answer->body, answer->length);
	return answer->json;
}
