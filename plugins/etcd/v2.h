/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store by API 2, on the wire as the Python host has it: one JSON object per key, written while
 * a mutex (v2mutex.c) is held, for that host's writes do not look at what they overwrite. Ours do,
 * each with prevIndex, for the mutex may lapse.
 */
#ifndef SPICERACK_ETCD_V2_H
#define SPICERACK_ETCD_V2_H

#include "client2.h"
#include "store.h"
#include "wire2.h"

/* One entry of ours that is held, or was asked for. */
struct held {
	struct held *next;
	char *key, *id, *owner;
	int32_t concurrency;
	int64_t ttl_ns; /* as stored */
	bool in;
	int64_t sent;         /* when it was written last */
	int64_t until, renew; /* when it ends, and is to be renewed */
};

struct v2 {
	struct store store;
	struct held *held;
	struct entries listed;
	char *mutex; /* the key of ours in the mutex's directory; NULL: none */
};

/* client2_do() of its client. */
enum spk_lock_status v2_do(struct v2 *v2, const char *method, const char *key, const char *query,
			   const char *value, const char *more, struct client_answer *answer,
			   struct spk_lock_call *call);

/* Takes the mutex: 15 tries. UNREACHABLE: others have it. */
enum spk_lock_status v2_mutex_take(struct v2 *v2, struct spk_lock_call *call);
/* Gives it back as far as that goes; it ends by itself after 15 s. */
void v2_mutex_give(struct v2 *v2, struct spk_lock_call *call);

#endif
