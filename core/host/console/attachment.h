/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `spicerack runs` and the supervisor of a run say to each other, over the socket
 * DIRECTORY/ID.sock beside the journal. The two may be of different releases: a run goes on while
 * the packages are replaced. So each message is one packet that tells its version.
 */
#ifndef SPICERACK_HOST_ATTACHMENT_H
#define SPICERACK_HOST_ATTACHMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "../../runtime/err.h"
#include "../journal/runid.h"

#define ATTACHMENT_VERSION 1

#define ATTACHMENT_SOCKET_SUFFIX ".sock"
/* What the terminals of the run show, as far as nobody has said that he has seen it. */
#define ATTACHMENT_SCREEN_SUFFIX ".screen"

enum attachment_type {
	/* To the supervisor. */
	ATTACHMENT_TAKE = 1,  /* a terminal, with its descriptor; value: bytes of the screen that
				 stand on it; flags */
	ATTACHMENT_LEAVE,     /* the operator lets go, and has seen what there is */
	ATTACHMENT_INTERRUPT, /* Ctrl+C at that terminal */
	ATTACHMENT_SUSPEND,   /* Ctrl+Z */
	ATTACHMENT_STOP,      /* as Ctrl+C */
	ATTACHMENT_KILL,      /* as two */
	/* Of the supervisor. */
	ATTACHMENT_TAKEN = 100,
	ATTACHMENT_MORE,     /* there is more of the screen: show that first, then ask again */
	ATTACHMENT_REFUSED,  /* value: enum attachment_refusal */
	ATTACHMENT_LEFT,     /* the terminal is the client's again */
	ATTACHMENT_REPLACED, /* likewise: another one has taken over */
	ATTACHMENT_EFFECT,   /* of a stop; value: enum attachment_effect */
	ATTACHMENT_END,      /* of the run; value: its exit code */
};

enum attachment_flag {
	ATTACHMENT_COLOURED = 1,    /* the terminal shows colours */
	ATTACHMENT_ADDRESSABLE = 2, /* a line of it can be drawn again */
};

enum attachment_refusal {
	ATTACHMENT_OTHER_VERSION = 1,
	ATTACHMENT_OTHER_USER,
	ATTACHMENT_NO_TERMINAL, /* the descriptor is none that one can read from and write to */
	ATTACHMENT_UNKNOWN,     /* the message is none */
};

enum attachment_effect {
	ATTACHMENT_INTERRUPTED = 1,
	ATTACHMENT_KILLED,
	ATTACHMENT_ABORTED,      /* the question that waited; the cookbook goes on with that */
	ATTACHMENT_ROLLING_BACK, /* nothing yet, but soon again abandons the rollback */
	ATTACHMENT_ABANDONED,    /* the rollback */
};

struct attachment_message {
	uint32_t version, type, flags, reserved;
	uint64_t value;
};

/* The most that is left of a screen for the supervisor to show. */
#define ATTACHMENT_REST_MAX 65536

/* A socket for DIRECTORY/RUN.sock, bound and listening, or connected; -1 with the reason and errno.
 */
MUST_CHECK int attachment_listen(const char *directory, const char *run, struct err *err);
MUST_CHECK int attachment_connect(const char *directory, const char *run, struct err *err);

/* Who is at the other end; -1: nobody knows. */
long long attachment_peer(int fd);

/* Sends one message, with a descriptor unless that is -1. False: it cannot be sent now. */
bool attachment_send(int fd, const struct attachment_message *message, int descriptor);

enum attachment_receipt {
	ATTACHMENT_NOTHING, /* has come */
	ATTACHMENT_MESSAGE,
	ATTACHMENT_GARBAGE,
	ATTACHMENT_CLOSED,
};

/*
 * Takes one message without waiting. A descriptor that came with it, and was the only one, is
 * *ret_descriptor, the caller's; else that is -1. With `ret_descriptor` NULL none is taken.
 */
enum attachment_receipt attachment_receive(int fd, struct attachment_message *ret,
					   int *ret_descriptor);

#endif
