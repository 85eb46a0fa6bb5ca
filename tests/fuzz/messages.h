/* SPDX-License-Identifier: Apache-2.0 */
/* The other side of a run, as fuzz_messages.c plays it: what it has in hand, and what it does. */
#ifndef SPICERACK_FUZZ_MESSAGES_H
#define SPICERACK_FUZZ_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../core/host/run/run.h"
#include "../../core/host/tree/find.h"
#include "../../core/runtime/buf.h"
#include "../../core/runtime/order.h"

enum {
	HONEST_RUNNER = 1, /* answers the supervisor's orders as it should */
	DRY_RUN = 2,
	VERBOSE = 4,
	ROLLBACK = 8,
	HONEST_STAGES =
		4, /* shift: the worker is honest before this stage, the script waits for it */
};

/* The far ends of one runner and its worker. */
struct ends {
	pid_t runner;
	int control, requests, interrupt, out, err;
	int death; /* stands for the worker's pidfd */
	bool child;
};

/* What the other side is up to. */
struct other_side {
	const uint8_t *at, *end;
	unsigned int flags;
	struct buf body; /* of the next message */
	int far[16];     /* while they are handed over: the descriptor for each number */
	struct ends ends_of[NESTED_DEPTH_MAX + 1]; /* of each runner; the last one acts */
	unsigned int depth;                        /* how many there are */
	int typed;                                 /* the terminal of a question; -1: none */
	int signals;                               /* eventfd, readable while a signal waits */
	int queue[64];                             /* of signals */
	unsigned int queued;
	int64_t now_ns;
	unsigned int waits, deaths;
	bool playing, begun;
	uint32_t serial;
	unsigned int starts, ends;
};

extern struct other_side other;

static inline struct ends *now(void)
{
	return &other.ends_of[other.depth];
}

/* The next byte of the script; 0 behind its end. */
static inline uint8_t next(void)
{
	return other.at < other.end ? *other.at++ : 0;
}

/* ---- messages_host.c ---- */

/* What is found under the one name that there is. */
extern struct cookbook_spec spec;
extern struct tree_found cookbook;

void raise_signal(int number);
void close_ends(struct ends *ends);

/* ---- messages_script.c ---- */

/* The worker is dead, its runner says so. */
void send_gone(uint64_t status, uint64_t number);
/* The other side acts until it waits, too. */
void play(void);
/* Takes what the supervisor sent, and answers where the other side is still honest. */
void serve(void);

#endif
