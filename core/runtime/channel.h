/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One end of a socket pair (SOCK_SEQPACKET) that carries messages between the
 * supervisor and the processes of a run. A message has a type, a serial by which an
 * answer is matched to its question, and a body (wire.h). What was sent before the
 * sender died is still received; the successor of a dead sender starts after a
 * channel_discard().
 */
#ifndef SPICERACK_CORE_CHANNEL_H
#define SPICERACK_CORE_CHANNEL_H

#include <spicerack/value.h>

#include "buf.h"
#include "err.h"
#include "wire.h"

/* No body is larger: a hostile worker cannot make the supervisor keep more. */
#define CHANNEL_BODY_MAX (8U << 20)

struct channel {
	int fd;                /* -1: none */
	struct buf partial;    /* fragments of a message not yet complete */
	uint32_t type, serial; /* of that message */
	struct buf received;   /* the last message: bodies point into it */
};

struct message {
	uint32_t type;
	uint32_t serial;
	struct wire_reader body; /* valid until the next channel_receive() */
};

enum channel_event {
	CHANNEL_MESSAGE,
	CHANNEL_NOTHING, /* none waiting (non-blocking receive) */
	CHANNEL_CLOSED,  /* the other end is gone, or it broke the protocol */
};

/* Makes both ends, close-on-exec, with descriptor numbers of at least 10. */
MUST_CHECK int channel_pair(int fds[2], struct err *err);

/* Waits at most `timeout_ms` (-1: for ever) for room. -1: the other end is gone or does not read.
 */
MUST_CHECK int channel_send(struct channel *channel, uint32_t type, uint32_t serial,
			    const struct buf *body, int timeout_ms);

/* Receives one message; with `wait` false only what has arrived. */
enum channel_event channel_receive(struct channel *channel, bool wait, struct message *ret);

/* Forgets the last message, whose body is no longer valid: it may have held a secret. */
void channel_wipe(struct channel *channel);

/*
 * Hands the bytes of the last message over: what was read from its body is valid as long as
 * they are, which is until buf_free().
 */
void channel_take(struct channel *channel, struct buf *ret);

/* Throws away what has arrived, a message cut short by its sender's death, too. */
void channel_discard(struct channel *channel);

void channel_close(struct channel *channel);

#endif
