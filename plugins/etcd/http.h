/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests by libcurl: each ends at its deadline and as soon as the call is cancelled, whatever
 * the network does; answers have a limit. Streams go on being read while other requests are made.
 */
#ifndef SPICERACK_ETCD_HTTP_H
#define SPICERACK_ETCD_HTTP_H

#include <curl/curl.h>

#include "../base/text.h"
#include "settings.h"

enum http_result {
	HTTP_ANSWERED,
	HTTP_FAILED, /* no answer, or one that was cut */
	HTTP_TIMEOUT,
	HTTP_CANCELLED,
};

struct http_request {
	const char *method;
	const char *url;
	const char *type;          /* of the body */
	const char *body;          /* NULL: none */
	const char *authorization; /* NULL: none */
	bool redirect;             /* follows one to another place */
};

struct http_answer {
	long status;
	struct text body;
	uint64_t cluster; /* by the header of API 2; 0: not told */
	bool hopeless;    /* wrong certificates, an answer without end: the same again */
	bool sent;        /* the request may have reached somebody, also where there is no answer */
	char why[CURL_ERROR_SIZE];
};

struct http;
struct http_stream;

/* `settings` stay the caller's, and must stay. NULL and a reason. */
struct http *http_new(const struct settings *settings, struct spk_reason_buffer *reason);
void http_free(struct http *http);

/* What the clock of deadlines says. */
int64_t http_now(void);

/* Cancelled, and TIMEOUT at `until` (CLOCK_BOOTTIME). The answer is the caller's to free. */
enum http_result http_do(struct http *http, const struct http_request *request,
			 struct http_answer *answer, int64_t until, int cancel_fd);
void http_answer_free(struct http_answer *answer);

/* Waits. Only TIMEOUT and CANCELLED come out. */
enum http_result http_sleep(struct http *http, int64_t until, int cancel_fd);

/* Sends a request whose answer is lines without an end. */
struct http_stream *http_stream_open(struct http *http, const struct http_request *request);
/*
 * The next line, without its end; valid until the next call. FAILED: the stream is over. `why` is
 * then set; *ret_status is the HTTP status, 0 before there is one.
 */
enum http_result http_stream_line(struct http_stream *stream, const char **ret_line,
				  long *ret_status, char why[static CURL_ERROR_SIZE], int64_t until,
				  int cancel_fd);
/* NULL is fine. */
void http_stream_close(struct http_stream *stream);

#endif
