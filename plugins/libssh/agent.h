/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent of a user: its keys, asked for once, and signatures by them. It may ask its user
 * before it signs, so nothing here waits for it.
 */
#ifndef SPICERACK_LIBSSH_AGENT_H
#define SPICERACK_LIBSSH_AGENT_H

#include "loop.h"

/* What an agent can say at most. */
#define AGENT_MESSAGE_MAX ((size_t)256 * 1024)

struct agent;
struct agent_request;

/* A key of it, as it goes over the wire. */
struct agent_key {
	unsigned char *blob;
	size_t length;
};

/* `answer` is a whole message without its length; NULL: there is none. */
typedef void agent_answered(void *data, const unsigned char *answer, size_t length);

struct agent *agent_new(struct loop *loop, const char *path);
/* NULL is fine. Nobody is answered any more. */
void agent_free(struct agent *agent);

const char *agent_path(const struct agent *agent);

/*
 * Whether its keys are known, or that there are none; else `wake` is queued when they are. Each
 * task waits once; agent_forget() before it goes.
 */
bool agent_is_ready(struct agent *agent, struct task *wake);
void agent_forget(struct agent *agent, struct task *wake);
/* Its keys; why there are none is *ret_problem, else NULL. */
const struct agent_key *agent_keys(const struct agent *agent, size_t *ret_count,
				   const char **ret_problem);

/*
 * Sends a message without its length; `done` is called once unless it is cancelled before. NULL: it
 * has been called already.
 */
struct agent_request *agent_ask(struct agent *agent, const unsigned char *message, size_t length,
				agent_answered *done, void *data);
void agent_cancel(struct agent_request *request);

#endif
