/* SPDX-License-Identifier: Apache-2.0 */
/* What is behind a session of HTTP, and how it makes a request. */
#ifndef SPICERACK_MODULES_HTTPSESSION_H
#define SPICERACK_MODULES_HTTPSESSION_H

#include <spicerack/http.h>

#include "../runtime/session.h"

#define HTTP_MAGIC 0x6874701eU
#define ANSWER_MAGIC 0x6861731eU

/* Plain data in memory of the run; connections belong to the process (httpdriver.h). */
struct spk_http {
	uint32_t magic;
	struct spk *spk;
	struct spk_http_options how; /* complete, all copied but the secrets */
};

struct spk_http_answer {
	uint32_t magic;
	bool sent;
	int status;
	struct spk *spk;
	const char *method, *url;
	const char *body;
	size_t length;
	spk_strings names, values;   /* of its headers, in order */
	const struct spk_json *json; /* of the body, once it was asked for */
};

/* A request, ready to be made. */
struct http_call {
	const struct spk_http *http;
	struct spk_http_request how; /* of http_request_adopt(), with the whole URL */
	bool write;
};

/* The options of a caller, filled in and copied; `function` is named in misuse. */
struct spk_http_options http_options_adopt(const char *function, struct spk *spk,
					   const struct spk_http_options *given);

/* A request of a caller, checked and filled in, its URL still as it was given. */
struct spk_http_request http_request_adopt(const char *function,
					   const struct spk_http_request *given, bool write);

/* Refuses what is no `Name: value`, or is not for callers to set. */
void http_check_headers(const char *function, spk_strings headers);

/* The length of the name; `*ret_value` is what stands behind the colon and blanks. */
size_t http_header_split(const char *line, const char **ret_value);

/* Makes it: the answer, whatever its status; an unsent one in dry-run. */
const struct spk_http_answer *http_make(const struct http_call *call);

#endif
