/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper of the locks: a thread of the supervisor that makes all calls of the store, which may
 * take as long as the network likes, and renews what is held in time, whatever the supervisor is
 * at. It is given one order at a time and tells news, for which a descriptor is readable.
 */
#ifndef SPICERACK_HOST_KEEPER_H
#define SPICERACK_HOST_KEEPER_H

#include "../../runtime/lease.h"
#include "locklist.h"
#include "lockstore.h"

struct keeper;

enum keeper_task {
	KEEPER_TAKE,      /* the lock of `entry`, waiting for it */
	KEEPER_GIVE_BACK, /* the lock of `entry` */
	KEEPER_LIST,      /* the entries of the key of `entry` */
};

struct keeper_order {
	enum keeper_task task;
	struct spk_lock_entry entry; /* its texts stay until the answer */
	int64_t patience_ns;         /* KEEPER_TAKE: how long to wait; 0: not at all */
};

enum keeper_news_type {
	KEEPER_ANSWER, /* to the order: `status`, and the reason */
	KEEPER_WAITS,  /* those in the way are `others`, for the first time or since they changed */
	KEEPER_RETRIES, /* as before, of a store without a queue: the try and the delay are told */
	KEEPER_SILENCE, /* the store does not answer; the reason; held until `until_ns` */
	KEEPER_SPEAKS,  /* it answers again */
	KEEPER_LOST,    /* a lock that was held is gone; the reason */
	KEEPER_OLD,     /* the ttl of the lock `entry.id` has passed; it is held all the same */
};

struct keeper_news {
	enum keeper_news_type type;
	struct keeper_news *next;
	enum spk_lock_status status;
	struct err reason;
	struct lock_list others;        /* KEEPER_LIST: all of the key */
	struct spk_lock_entry entry;    /* numbers only */
	char id[40];                    /* KEEPER_OLD */
	unsigned int attempt, attempts; /* KEEPER_RETRIES */
	int64_t delay_ns, until_ns;
};

/*
 * Starts the thread, which opens the store at once; that it cannot is the answer to every order.
 * `config` and what it names stay until the end. `lease` is written by the keeper from then on.
 */
MUST_CHECK int keeper_start(const struct lock_store_config *config, struct lease *lease,
			    struct keeper **ret, struct err *err);

/* Readable while there are news. */
int keeper_fd(const struct keeper *keeper);

/* Gives an order; the one before must have been answered. */
void keeper_order(struct keeper *keeper, const struct keeper_order *order);

/* Ends the waiting of the order under way: its answer comes soon, and may be any. */
void keeper_cancel(struct keeper *keeper);

/* The next of the news, or NULL. Free it with keeper_news_free(). */
struct keeper_news *keeper_take_news(struct keeper *keeper);
void keeper_news_free(struct keeper_news *news);

/* Gives back what is held, as far as that goes in a short time, and ends the thread. NULL is fine.
 */
void keeper_stop(struct keeper *keeper);

#endif
