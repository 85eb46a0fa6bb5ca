/* SPDX-License-Identifier: Apache-2.0 */
/* The transport on libssh: all hosts in one thread, without waiting for any of them. */
#include <errno.h>
#include <libssh/libssh.h>
#include <pwd.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../net/dial.h"
#include "../base/memory.h"
#include "command.h"
#include "connection.h"
#include "host.h"
#include "proxy.h"

SPK_API extern const struct spk_transport_driver spk_driver;

/* Connections stay open: there may be as many as there are hosts. */
#define DESCRIPTORS_WANTED 65536

struct agent *transport_agent(struct transport *transport, const char *path)
{
	for (size_t i = 0; i < transport->agent_count; i++)
		if (strcmp(agent_path(transport->agents[i]), path) == 0)
			return transport->agents[i];
	transport->agents = memory_grow(transport->agents, transport->agent_count,
					&transport->agent_capacity, sizeof(*transport->agents));
	transport->agents[transport->agent_count] = agent_new(transport->loop, path);
	return transport->agents[transport->agent_count++];
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= DESCRIPTORS_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- who we are ---- */

static int find_self(struct config_self *self, struct spk_reason_buffer *reason)
{
	const struct passwd *entry;
	char machine[256];

	errno = 0;
	entry = getpwuid(getuid());
	if (!entry)
		return net_refuse(reason, "the user with number %u has no name",
				  (unsigned)getuid());
	if (gethostname(machine, sizeof(machine)) < 0)
		machine[0] = '\0';
	machine[sizeof(machine) - 1] = '\0';
	*self = (struct config_self){
		.user = memory_copy(entry->pw_name),
		.home = memory_copy(entry->pw_dir),
		.machine = memory_copy(machine),
		.machine_short = memory_copy_n(machine, strcspn(machine, ".")),
		.uid = getuid(),
	};
	return 0;
}

static void free_self(struct config_self *self)
{
	memory_free((void *)(uintptr_t)self->user);
	memory_free((void *)(uintptr_t)self->home);
	memory_free((void *)(uintptr_t)self->machine);
	memory_free((void *)(uintptr_t)self->machine_short);
}

/* ---- the table ---- */

static void close_transport(void *data)
{
	struct transport *transport = data;

	if (transport->loop) {
		command_free_all(transport);
		host_free_all(transport);
		proxy_end_all(transport);
		for (size_t i = 0; i < transport->agent_count; i++)
			agent_free(transport->agents[i]);
		resolver_free(transport->resolver);
		loop_free(transport->loop);
	}
	memory_free(transport->agents);
	keys_free(transport->keys);
	knownhosts_free(transport->known);
	sshconfig_free(transport->config);
	settings_free(&transport->settings);
	free_self(&transport->self);
	memory_free(transport);
}

static int prepare(struct transport *transport, const struct spk_driver_setting *given,
		   size_t count, struct spk_reason_buffer *reason)
{
	if (settings_read(given, count, &transport->settings, reason) < 0 ||
	    find_self(&transport->self, reason) < 0)
		return -1;
	transport->config = sshconfig_read(transport->settings.config, &transport->self, reason);
	if (!transport->config)
		return -1;
	transport->known = knownhosts_new();
	transport->keys = keys_new();
	transport->loop = loop_new();
	if (transport->loop)
		transport->resolver = resolver_new(transport->loop);
	if (!transport->resolver)
		return net_refuse(reason, "cannot wait for descriptors: %s",
				  strerrordesc_np(errno));
	return 0;
}

static void *open_transport(const struct spk_driver_setting *settings, size_t count,
			    const struct spk_transport_calls *calls,
			    struct spk_reason_buffer *reason)
{
	struct transport *transport;

	if (ssh_init() != SSH_OK) {
		net_refuse(reason, "cannot use libssh");
		return NULL;
	}
	transport = memory_new(1, sizeof(*transport));
	memcpy(&transport->calls, calls,
	       calls->size < sizeof(*calls) ? calls->size : sizeof(*calls));
	if (prepare(transport, settings, count, reason) < 0) {
		close_transport(transport);
		return NULL;
	}
	raise_descriptor_limit();
	connection_hear_log();
	return transport;
}

static int fd_of(void *data)
{
	const struct transport *transport = data;

	return loop_fd(transport->loop);
}

static int64_t deadline_of(void *data)
{
	const struct transport *transport = data;

	return loop_deadline(transport->loop);
}

static void dispatch(void *data)
{
	const struct transport *transport = data;

	loop_run(transport->loop);
}

static void *start(void *data, const struct spk_transport_command *command,
		   struct spk_reason_buffer *reason)
{
	return command_start(data, command);
}

static size_t feed(void *command, const char *bytes, size_t length)
{
	return command_feed(command, bytes, length);
}

static void finish(void *command)
{
	command_finish(command);
}

static void hold(void *command, bool on)
{
	command_hold(command, on);
}

static void abandon(void *command)
{
	command_abandon(command);
}

const struct spk_transport_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_transport_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "transport",
		   .name = "libssh"},
	.open = open_transport,
	.close = close_transport,
	.fd = fd_of,
	.deadline = deadline_of,
	.dispatch = dispatch,
	.start = start,
	.feed = feed,
	.finish = finish,
	.hold = hold,
	.abandon = abandon,
	.names_users = 1,
};
