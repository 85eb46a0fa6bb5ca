/* SPDX-License-Identifier: Apache-2.0 */
/* Proves to a host who we are: by keys of files and of an agent, never by anything typed. */
#ifndef SPICERACK_LIBSSH_AUTH_H
#define SPICERACK_LIBSSH_AUTH_H

#include "agent.h"
#include "keys.h"
#include "target.h"

struct auth;

/*
 * `agent` NULL: none. `wake` is queued when auth_step() has something to do that the session does
 * not tell. All that is given must stay.
 */
struct auth *auth_new(ssh_session session, const struct target *target, struct keys *keys,
		      struct agent *agent, struct loop *loop, struct task *wake);
/* NULL is fine. */
void auth_free(struct auth *auth);

/* 1: we are let in; 0: to be called again; -1 with the end. */
int auth_step(struct auth *auth, struct end *end);

#endif
