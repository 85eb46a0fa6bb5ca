/* SPDX-License-Identifier: Apache-2.0 */
/* What all hosts, connections and commands of a transport share. */
#ifndef SPICERACK_LIBSSH_TRANSPORT_H
#define SPICERACK_LIBSSH_TRANSPORT_H

#include "agent.h"
#include "guest.h"
#include "keys.h"
#include "knownhosts.h"
#include "resolver.h"
#include "settings.h"
#include "sshconfig.h"

struct host;
struct proxy;

struct transport {
	struct spk_transport_calls calls;
	struct settings settings;
	struct config_self self;
	struct sshconfig *config;
	struct knownhosts *known;
	struct keys *keys;
	struct loop *loop;
	struct resolver *resolver;
	struct agent **agents;
	size_t agent_count, agent_capacity;
	struct host **hosts; /* a table of chains by hash; its size is a power of two */
	size_t host_count, host_slots;
	struct guests commands;
	struct proxy *proxies; /* that are closed and have not ended yet */
};

/* The agent behind a socket; the same one for all who ask. */
struct agent *transport_agent(struct transport *transport, const char *path);

#endif
