/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of API 2, which are about keys. */
#ifndef SPICERACK_ETCD_CLIENT2_H
#define SPICERACK_ETCD_CLIENT2_H

#include "client.h"

/* errorCode of API 2. */
enum {
	CLIENT2_NOT_FOUND = 100,
	CLIENT2_COMPARE_FAILED = 101,
	CLIENT2_EXISTS = 105,
};

/*
 * A request about `key` (or what is below it; "": all): `query` is what follows it, "" or "?...".
 * `value` goes as a form with `more` behind it, NULL: none. Statuses as of client_do(); what is no
 * GET is sent once.
 */
enum spk_lock_status client2_do(struct client *client, const char *method, const char *key,
				const char *query, const char *value, const char *more,
				struct client_answer *answer, struct spk_lock_call *call);
/* The server's error about a key, in words. Returns REFUSED. */
enum spk_lock_status client2_refuse(const char *key, const struct client_answer *answer,
				    struct spk_lock_call *call);

#endif
