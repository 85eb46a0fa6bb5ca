/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP and HTTPS, with two faces: a session, which returns whatever a server answers, and a client
 * of an API, which has a base URL and for which an answer of 300 and above is an error.
 *
 *     struct spk_api *api = spk_api(spk, "https://ipam.example/api", SPK_HTTP(.token = token));
 *     const struct spk_json *host = spk_api_get(api, "/hosts/db1001");
 *     struct spk_json *change = spk_json_object(spk);
 *
 *     spk_json_set_text(change, "status", "active");
 *     spk_api_write(api, SPK_HTTP_REQUEST("PATCH", "/hosts/db1001", .json = change));
 *
 * Reads and writes are different calls. In dry-run a read is sent; a write is not, it is logged,
 * and what it returns is no answer: spk_http_sent() is false, its status is 0, and whatever else is
 * asked of it raises `http.unsent`.
 *
 * A request is tried again when that may help and cannot do harm: any when no connection came
 * about; reads, and of the writes PUT and DELETE, also when the connection broke, when nothing came
 * in time, and for the statuses 429, 500, 502, 503 and 504. A POST or PATCH that may have arrived
 * is never sent again. The pause before try N+1 is `backoff` * 2^(N-1), at most 2 minutes, or what
 * the server asks for by Retry-After, if that is more; where it asks for more than 2 minutes there
 * is no other try. Other than in the Python library `tries` is the number of requests, not of
 * repetitions, the second one is not sent at once, and who has a session is given an answer that is
 * still bad at the last try.
 *
 * A read by GET or HEAD follows up to 10 redirects; nothing else does: what it would become
 * elsewhere is not for the server to say. Password, token and every header of the caller's are for
 * the origin (scheme, host and port) of the URL of the request and do not go to another; https is
 * not left for http.
 *
 * Certificates are verified, with TLS 1.2 or later. Connections are kept and used again within the
 * run, by all sessions. Neither ~/.netrc nor the environment has a say. Bodies may come
 * compressed. Each exchange is a record at DEBUG: method, URL, status, duration, try; what is
 * tried again, one at WARNING. A user or a password in a URL is refused.
 *
 * Raised, with the URL in the message, which holds no password then:
 *     http.url          it is no URL of http or https
 *     http.connect      no connection: nothing was sent
 *     http.certificate  the server is not who it should be, or TLS is not set up right
 *     http.timeout      connected, but no answer in time: it may have been carried out
 *     http.lost         the connection broke: it may have been carried out
 *     http.protocol     what came is no HTTP
 *     http.size         the answer is longer than its limit
 *     http.redirect     too many of them, or to where it is not followed
 *     http.status       of an API client: the server refused; the payload is the answer
 *     http.unsent       an answer to a write is looked at in dry-run
 *     http.driver       the driver `http-curl` is not installed, or does not work
 *     json.syntax       spk_http_json() of what is no JSON
 *     interrupted
 */
#ifndef SPICERACK_HTTP_H
#define SPICERACK_HTTP_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;
struct spk_json;
struct spk_secret;

/* A session: how requests are made. It belongs to the run; after a crash it still works, if the
 * secrets in it are read again. */
struct spk_http;
/* A client of an API. */
struct spk_api;
/* What came of a request. It belongs to the run. */
struct spk_http_answer;

/*
 * How requests are made. A member left out has its default. Texts and lists are copied; secrets
 * must be alive when a request is made.
 */
struct spk_http_options {
	uint32_t size;  /* set by SPK_HTTP() */
	uint32_t tries; /* requests in all: 3 */
	/* User-Agent is `spicerack/VERSION NAME`: the name of the cookbook. */
	const char *name;
	spk_duration connect_timeout; /* for name, connection and TLS: 3 s */
	spk_duration read_timeout;    /* without a byte sent or received: 5 s */
	spk_duration total_timeout;   /* for all of a call, tries and pauses included: 5 minutes */
	spk_duration backoff;         /* the first pause: 1 s */
	spk_ints retry_statuses;      /* worth another try: those above; SPK_INTS(0) for none */
	size_t answer_limit;          /* bytes of a body, decompressed: 16 MiB */
	spk_strings headers;          /* `Name: value` each, in every request */
	/* Basic authentication, when there is a user. */
	const char *user;
	const struct spk_secret *password;
	/*
	 * Another secret, and the header that carries it with what stands before it:
	 * "Authorization: Bearer " by default; "X-Auth-Token: ", "Authorization: Token ".
	 */
	const struct spk_secret *token;
	const char *token_header;
	const char *ca_file;   /* who is trusted, PEM: those of the system */
	const char *cert_file; /* a certificate to show, PEM */
	const char *key_file;  /* and its key, if that is not in the same file */
	bool proxied; /* by spk_http_proxy(), where that is configured; otherwise directly */
	bool reserved[7];
};

/* SPK_HTTP(.token = token, .tries = 5) */
#define SPK_HTTP(...)                                                                              \
	(&(const struct spk_http_options){.size = sizeof(struct spk_http_options), ##__VA_ARGS__})

/* One request. At most one of json, form and body. A member left out has its default. */
struct spk_http_request {
	uint32_t size; /* set by SPK_HTTP_REQUEST() */
	uint32_t reserved;
	const char *method;  /* "GET" ... */
	const char *url;     /* of an API client: what follows its base, from the slash on */
	spk_strings query;   /* NAME=VALUE each, appended to the URL; encoded here */
	spk_strings headers; /* `Name: value` each, over those of the session */
	const struct spk_json *json; /* a body, application/json */
	spk_strings form;            /* NAME=VALUE each: a body, as of a form; encoded here */
	const char *body;            /* a body as it is */
	size_t body_length;          /* of that; 0: up to its NUL */
	const char *content_type;    /* of `body`: application/octet-stream */
	spk_duration read_timeout;   /* in place of the session's, as the next */
	spk_duration total_timeout;
	spk_ints accepted; /* of an API client: statuses of 300 and above that are no error */
};

/* SPK_HTTP_REQUEST("POST", "https://host/path", .json = value) */
#define SPK_HTTP_REQUEST(method_, url_, ...)                                                       \
	(&(const struct spk_http_request){.size = sizeof(struct spk_http_request),                 \
					  .method = (method_),                                     \
					  .url = (url_),                                           \
					  ##__VA_ARGS__})

/*
 * A session; NULL is SPK_HTTP(). Nothing is sent. Options that contradict each other, and a header
 * that is none, are misuse. Since 1.0.
 */
SPK_API struct spk_http *spk_http(struct spk *spk, const struct spk_http_options *options);

/*
 * Sends a request that changes nothing, also in dry-run. POST may be one, of a search; PUT, PATCH
 * and DELETE are misuse. Returns the answer, whatever its status. Since 1.0.
 */
SPK_API const struct spk_http_answer *spk_http_read(struct spk_http *http,
						    const struct spk_http_request *request);

/* Sends a request that changes something; in dry-run it is not sent. Since 1.0. */
SPK_API const struct spk_http_answer *spk_http_write(struct spk_http *http,
						     const struct spk_http_request *request);

/* The read that is wanted most: GET of a URL. Since 1.0. */
SPK_API const struct spk_http_answer *spk_http_get(struct spk_http *http, const char *url);

/*
 * A text as one part of a path, or of a query that is put together by hand: all but letters, digits
 * and `-._~` percent-encoded. Raises `http.url` for "", "." and "..", which would be another path.
 * Since 1.0.
 */
SPK_API const char *spk_http_segment(struct spk *spk, const char *text);

/* Whether it was sent: false for a write in dry-run, to which there is no answer. Since 1.0. */
SPK_API bool spk_http_sent(const struct spk_http_answer *answer);
/* The status, 200 to 599; 0 when it was not sent. Since 1.0. */
SPK_API int spk_http_status(const struct spk_http_answer *answer);
/* The URL that answered: behind redirects another than was asked. Since 1.0. */
SPK_API const char *spk_http_url(const struct spk_http_answer *answer);
/* The body, which ends in a NUL that does not count. Since 1.0. */
SPK_API const char *spk_http_body(const struct spk_http_answer *answer);
/* How many bytes the body has; there may be NULs among them. Since 1.0. */
SPK_API size_t spk_http_length(const struct spk_http_answer *answer);
/* A header by its name, in whatever case; the first of several; NULL: there is none. Since 1.0. */
SPK_API const char *spk_http_header(const struct spk_http_answer *answer, const char *name);
/* The body as JSON. Raises `json.syntax` and `json.size`. Since 1.0. */
SPK_API const struct spk_json *spk_http_json(const struct spk_http_answer *answer);

/*
 * A client of the API at `base_url`, to which paths are appended; options as of a session. It asks
 * for JSON (Accept) unless a header says otherwise. Since 1.0.
 */
SPK_API struct spk_api *spk_api(struct spk *spk, const char *base_url,
				const struct spk_http_options *options);

/*
 * As spk_http_read() and spk_http_write(), for a URL below the base: a path that begins with a
 * slash, anything else is misuse. Raises `http.status` unless the status is below 300 or accepted.
 * Since 1.0.
 */
SPK_API const struct spk_http_answer *spk_api_read(struct spk_api *api,
						   const struct spk_http_request *request);
/* The same for what changes something. Since 1.0. */
SPK_API const struct spk_http_answer *spk_api_write(struct spk_api *api,
						    const struct spk_http_request *request);
/* The read that is wanted most: GET of a path, and what it answers as JSON. Since 1.0. */
SPK_API const struct spk_json *spk_api_get(struct spk_api *api, const char *path);

#ifdef __cplusplus
}
#endif

#endif
