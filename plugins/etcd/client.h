/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of a cluster: sends a request to the first member that answers it, with what it takes
 * to be let in.
 *
 * A member that is down, does not answer in time or has no leader is left out at once and tried
 * again after a while; all of them are asked again and again for some seconds (an election, a
 * restart) before a call gives up. The first answer says which cluster this is: a member of
 * another one is refused, before anything is written to it.
 */
#ifndef SPICERACK_ETCD_CLIENT_H
#define SPICERACK_ETCD_CLIENT_H

#include "../base/json.h"
#include "http.h"

struct client;

struct client_request {
	const char *method;
	const char *path; /* from "/" on, escaped */
	const char *type; /* of the body: CLIENT_JSON, CLIENT_FORM */
	const char *body; /* NULL: none */
	bool harmless;    /* reads only, or may be done in a wrong cluster */
	bool once;        /* must not be sent again after a failure that leaves it open */
};

#define CLIENT_JSON "application/json"
#define CLIENT_FORM "application/x-www-form-urlencoded"

struct client_answer {
	long status;  /* of HTTP */
	cJSON *json;  /* never NULL after OK */
	int64_t code; /* of API 3: gRPC's; of API 2: errorCode; 0: no error */
	int64_t sent; /* when the request went out, by http_now() */
	bool open;    /* after a failure: it may have been done all the same */
	bool again;   /* an attempt before this one may have been done, too */
};

/* Takes the settings over. NULL and a reason. */
struct client *client_new(struct settings *settings, struct spk_reason_buffer *reason);
/* NULL is fine. */
void client_free(struct client *client);

const struct settings *client_settings(const struct client *client);

/*
 * OK: an answer, perhaps an error of those that a caller may expect: of API 3 NOT_FOUND, of API 2
 * all that are about the key. The answer is the caller's to free in any case. Otherwise the reason
 * in `call` names the member.
 */
enum spk_lock_status client_do(struct client *client, const struct client_request *request,
			       struct client_answer *answer, struct spk_lock_call *call);
void client_answer_free(struct client_answer *answer);

#define CLIENT_NOT_FOUND 5 /* gRPC's code */

/*
 * Opens a stream to the member that answered last. OK, and a line that is JSON, or UNREACHABLE
 * when it is over: the caller closes it, and client_do() finds a better member.
 */
struct http_stream *client_stream(struct client *client, const char *path, const char *body);
enum spk_lock_status client_stream_next(struct client *client, struct http_stream *stream,
					cJSON **ret_json, int64_t until,
					struct spk_lock_call *call);

/* Sleeps; OK at `until`. */
enum spk_lock_status client_sleep(struct client *client, int64_t until, struct spk_lock_call *call);

#endif
