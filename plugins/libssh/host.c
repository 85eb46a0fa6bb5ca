/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <stdio.h>
#include <string.h>

#include "../net/dial.h"
#include "../base/memory.h"
#include "connection.h"

#define SLOTS_AT_FIRST 64

static struct host *of_task(struct task *task)
{
	return (struct host *)(void *)((char *)task - offsetof(struct host, task));
}

/* ---- the table ---- */

static size_t hash(const char *key)
{
	uint64_t value = 0xcbf29ce484222325;

	for (; *key; key++)
		value = (value ^ (unsigned char)*key) * 0x100000001b3;
	return (size_t)(value ^ value >> 32);
}

static char *make_key(const struct target_name *name)
{
	const char *user = name->user ? name->user : "", *jump = name->jump ? name->jump : "";
	size_t size = strlen(name->host) + strlen(user) + strlen(jump) + 16;
	char *key = memory_raw(size);

	snprintf(key, size, "%s\n%s\n%d\n%s", name->host, user, name->port, jump);
	return key;
}

static struct host *look_up(const struct transport *transport, const char *key)
{
	struct host *host;

	if (!transport->host_slots)
		return NULL;
	host = transport->hosts[hash(key) & (transport->host_slots - 1)];
	while (host && strcmp(host->key, key) != 0)
		host = host->chained;
	return host;
}

static void put(struct transport *transport, struct host *host)
{
	struct host **slot = &transport->hosts[hash(host->key) & (transport->host_slots - 1)];

	host->chained = *slot;
	*slot = host;
}

static void add(struct transport *transport, struct host *host)
{
	struct host **old = transport->hosts;
	size_t slots = transport->host_slots;

	if (transport->host_count++ == slots) {
		transport->host_slots = slots ? slots * 2 : SLOTS_AT_FIRST;
		transport->hosts = memory_new(transport->host_slots, sizeof(struct host *));
		for (size_t i = 0; i < slots; i++) {
			while (old[i]) {
				struct host *moved = old[i];

				old[i] = moved->chained;
				put(transport, moved);
			}
		}
		memory_free(old);
	}
	put(transport, host);
}

/* Calls `act` for each one; it may be gone then. */
static void for_each(const struct transport *transport, void (*act)(struct host *host))
{
	for (size_t i = 0; i < transport->host_slots; i++) {
		struct host *host = transport->hosts[i];

		while (host) {
			struct host *following = host->chained;

			act(host);
			host = following;
		}
	}
}

static void turn_all_away(struct host *host, const struct end *end)
{
	for (size_t left = host->waiting.count; left > 0 && host->waiting.first; left--) {
		struct guest *guest = host->waiting.first;

		guests_remove(&host->waiting, guest);
		guest->host = NULL;
		guest->calls->turned_away(guest, end);
	}
}

static void empty(struct host *host)
{
	const struct end end = {.kind = SPK_TRANSPORT_LOST, .reason = "the transport is closed"};

	turn_all_away(host, &end);
	for (struct connection *connection = host->connections; connection;
	     connection = connection_next(connection))
		connection_evict(connection, &end);
}

static void disconnect(struct host *host)
{
	while (host->connections)
		connection_close(host->connections);
	loop_drop_task(host->transport->loop, &host->task);
}

static void host_free(struct host *host)
{
	target_free(host->target);
	memory_free(host->key);
	memory_free(host);
}

/* Connections may be the way to others: nobody is on them any more when the first is closed. */
void host_free_all(struct transport *transport)
{
	for_each(transport, empty);
	for_each(transport, disconnect);
	for_each(transport, host_free);
	memory_free(transport->hosts);
	transport->hosts = NULL;
	transport->host_slots = transport->host_count = 0;
}

/* ---- who waits ---- */

/* Whether those who wait are more than what is on its way will take. */
static bool needs_another(const struct host *host)
{
	size_t sessions = 0, room = 0;

	for (const struct guest *guest = host->waiting.first; guest; guest = guest->next)
		sessions += guest->is_session;
	for (const struct connection *connection = host->connections; connection;
	     connection = connection_next(connection))
		if (!connection_is_ready(connection))
			room += connection_limit(connection);
	if (host->waiting.count == 0 || host->connection_count >= host->connections_max)
		return false;
	/* Ways through a host have room wherever there is a connection. */
	return sessions > room || !host->connections;
}

static struct connection *find_room(const struct host *host, const struct guest *guest)
{
	struct connection *connection = host->connections;

	while (connection && !connection_has_room(connection, guest))
		connection = connection_next(connection);
	return connection;
}

static void settle(struct task *task)
{
	struct host *host = of_task(task);
	struct guest *guest = host->waiting.first;

	while (guest) {
		struct guest *following = guest->next;
		struct connection *connection = find_room(host, guest);

		if (connection) {
			guests_remove(&host->waiting, guest);
			connection_admit(connection, guest);
		}
		guest = following;
	}
	while (needs_another(host)) {
		host->connection_count++;
		connection_new(host, host->waiting.first->deadline_ns);
	}
	/* Nobody waits for what is not ready yet. */
	for (struct connection *connection = host->connections;
	     connection && !host->waiting.count;) {
		struct connection *following = connection_next(connection);

		if (!connection_is_ready(connection)) {
			connection_close(connection);
			host->connection_count--;
		}
		connection = following;
	}
}

static void look_soon(struct host *host)
{
	loop_add_task(host->transport->loop, &host->task);
}

struct host *host_find(struct transport *transport, const struct target_name *name, struct end *end)
{
	char *key = make_key(name);
	struct host *host = look_up(transport, key);
	struct target *target;

	if (host || target_find(transport->config, &transport->self, name, &target, end) < 0) {
		memory_free(key);
		return host;
	}
	host = memory_new(1, sizeof(*host));
	host->transport = transport;
	host->key = key;
	host->target = target;
	host->task.run = settle;
	host->connections_max = SIZE_MAX;
	add(transport, host);
	return host;
}

struct host *host_find_jump(struct host *host, struct end *end)
{
	const struct target *target = host->target;
	const struct target_name name = {.host = target->jump_host,
					 .user = target->jump_user,
					 .port = target->jump_port,
					 .jump = target->jump_before};
	struct host *jump = host->jump ? host->jump : host_find(host->transport, &name, end);

	for (const struct host *at = jump; at; at = at->jump) {
		if (at != host)
			continue;
		end_set(end, SPK_TRANSPORT_FAILED, "the way to it leads back to %s", target->name);
		return NULL;
	}
	host->jump = jump;
	return jump;
}

void host_enter(struct host *host, struct guest *guest)
{
	guest->host = host;
	guest->connection = NULL;
	guests_add(&host->waiting, guest);
	look_soon(host);
}

void host_leave(struct guest *guest)
{
	struct host *host = guest->host;

	if (!host)
		return;
	if (guest->connection)
		connection_dismiss(guest->connection, guest);
	else
		guests_remove(&host->waiting, guest);
	guest->host = NULL;
	look_soon(host);
}

void host_send_back(struct guest *guest)
{
	struct host *host = guest->host;

	connection_dismiss(guest->connection, guest);
	host_enter(host, guest);
}

const char *host_phase(const struct host *host)
{
	const char *phase = NULL;

	for (const struct connection *connection = host->connections; connection;
	     connection = connection_next(connection))
		if (!phase || !connection_is_ready(connection))
			phase = connection_phase(connection);
	return phase ? phase : "a connection";
}

void host_has_room(struct host *host)
{
	look_soon(host);
}

void host_lost(struct host *host, bool was_ready, const struct end *end)
{
	bool others = false;

	host->connection_count--;
	for (const struct connection *other = host->connections; other && !others;
	     other = connection_next(other))
		others = connection_is_ready(other);
	if (!was_ready && others) {
		/* It does not let us connect once more: one of those that there are has to do. */
		host->connections_max = host->connection_count;
	} else if (!was_ready) {
		host->connections_max = SIZE_MAX;
		turn_all_away(host, end);
	} else if (!others) {
		host->connections_max = SIZE_MAX;
	}
	look_soon(host);
}
