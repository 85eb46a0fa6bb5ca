/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/memory.h"

/* Of draft-miller-ssh-agent. */
enum { REQUEST_IDENTITIES = 11, IDENTITIES_ANSWER = 12 };

#define KEYS_MAX 1024

struct agent_request {
	struct agent_request *next;
	unsigned char *message; /* with its length */
	size_t length, sent;
	agent_answered *done; /* NULL: nobody waits for it any more */
	void *data;
};

/* Requests are answered in their order. */
struct agent {
	struct loop *loop;
	char *path;
	struct watch watch;
	struct agent_request *first, **end;
	unsigned char *in; /* the answer to the first one, as far as it is there */
	size_t in_length, in_capacity;
	struct agent_key *keys;
	size_t key_count, key_capacity;
	bool asked, ready;
	char problem[256];
	struct task **waiting;
	size_t waiting_count, waiting_capacity;
};

static size_t read_length(const unsigned char *at)
{
	return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

static struct agent_request *take_first(struct agent *agent)
{
	struct agent_request *request = agent->first;

	agent->first = request->next;
	if (!agent->first)
		agent->end = &agent->first;
	return request;
}

static void answer(struct agent_request *request, const unsigned char *message, size_t length)
{
	if (request->done)
		request->done(request->data, message, length);
	memory_free(request->message);
	memory_free(request);
}

/* The connection is of no use any more; another is made for the next request. */
static void give_up(struct agent *agent, const char *why)
{
	snprintf(agent->problem, sizeof(agent->problem), "the agent at '%.160s': %s", agent->path,
		 why);
	if (agent->watch.fd >= 0) {
		loop_unwatch(agent->loop, &agent->watch);
		close(agent->watch.fd);
		agent->watch.fd = -1;
	}
	agent->in_length = 0;
	while (agent->first)
		answer(take_first(agent), NULL, 0);
}

/* ---- the connection ---- */

static void watch_agent(struct agent *agent)
{
	bool sending = false;

	for (struct agent_request *request = agent->first; request; request = request->next)
		sending = sending || request->sent < request->length;
	if (!loop_watch(agent->loop, &agent->watch, EPOLLIN | (sending ? EPOLLOUT : 0)))
		give_up(agent, strerrordesc_np(errno));
}

static void send_requests(struct agent *agent)
{
	for (struct agent_request *request = agent->first; request; request = request->next) {
		while (request->sent < request->length) {
			ssize_t done = send(agent->watch.fd, request->message + request->sent,
					    request->length - request->sent,
					    MSG_NOSIGNAL | MSG_DONTWAIT);

			if (done < 0) {
				if (errno != EAGAIN && errno != EINTR)
					give_up(agent, strerrordesc_np(errno));
				return;
			}
			request->sent += (size_t)done;
		}
	}
}

/* 1: there is more; 0: not now; -1: it has given up. */
static int receive(struct agent *agent)
{
	size_t wanted = agent->in_length < 4 ? 4 : 4 + read_length(agent->in);
	ssize_t got;

	if (wanted > AGENT_MESSAGE_MAX || (agent->in_length >= 4 && wanted == 4)) {
		give_up(agent, "it says what no agent says");
		return -1;
	}
	if (wanted > agent->in_capacity) {
		agent->in_capacity = wanted < 4096 ? 4096 : wanted;
		agent->in = memory_resize(agent->in, agent->in_capacity);
	}
	got = recv(agent->watch.fd, agent->in + agent->in_length, wanted - agent->in_length,
		   MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0) {
		give_up(agent, got == 0 ? "it closed the connection" : strerrordesc_np(errno));
		return -1;
	}
	agent->in_length += (size_t)got;
	if (agent->in_length < 4 || agent->in_length < 4 + read_length(agent->in))
		return 1;
	if (agent->in_length == 4)
		return 1;
	if (!agent->first) {
		give_up(agent, "it says what it was not asked for");
		return -1;
	}
	wanted = agent->in_length;
	agent->in_length = 0;
	answer(take_first(agent), agent->in + 4, wanted - 4);
	return agent->watch.fd >= 0 ? 1 : -1;
}

static void agent_event(struct watch *watch, uint32_t events)
{
	struct agent *agent =
		(struct agent *)(void *)((char *)watch - offsetof(struct agent, watch));
	int more;

	if (events & EPOLLOUT)
		send_requests(agent);
	do {
		more = agent->watch.fd >= 0 ? receive(agent) : -1;
	} while (more > 0);
	if (more == 0)
		watch_agent(agent);
}

/* Connections to a socket of this machine are made at once or not at all. */
static bool connect_agent(struct agent *agent)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(agent->path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(address.sun_path, agent->path, strlen(agent->path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return false;
	}
	agent->watch = (struct watch){.ready = agent_event, .fd = fd};
	return true;
}

struct agent_request *agent_ask(struct agent *agent, const unsigned char *message, size_t length,
				agent_answered *done, void *data)
{
	struct agent_request *request = memory_new(1, sizeof(*request));

	request->message = memory_raw(length + 4);
	request->message[0] = (unsigned char)(length >> 24);
	request->message[1] = (unsigned char)(length >> 16);
	request->message[2] = (unsigned char)(length >> 8);
	request->message[3] = (unsigned char)length;
	memcpy(request->message + 4, message, length);
	request->length = length + 4;
	request->done = done;
	request->data = data;
	*agent->end = request;
	agent->end = &request->next;
	if (agent->watch.fd < 0 && !connect_agent(agent)) {
		give_up(agent, strerrordesc_np(errno));
		return NULL;
	}
	watch_agent(agent);
	return agent->first ? request : NULL;
}

void agent_cancel(struct agent_request *request)
{
	request->done = NULL;
}

/* ---- its keys ---- */

/* The string at *at, which moves behind it; NULL: there is none. */
static const unsigned char *take_string(const unsigned char **at, const unsigned char *end,
					size_t *ret_length)
{
	const unsigned char *string = *at + 4;

	if (end - *at < 4 || read_length(*at) > (size_t)(end - string))
		return NULL;
	*ret_length = read_length(*at);
	*at = string + *ret_length;
	return string;
}

static void add_key(struct agent *agent, const unsigned char *blob, size_t length)
{
	agent->keys = memory_grow(agent->keys, agent->key_count, &agent->key_capacity,
				  sizeof(*agent->keys));
	agent->keys[agent->key_count++] = (struct agent_key){
		.blob = memcpy(memory_raw(length), blob, length), .length = length};
}

static void know_keys(void *data, const unsigned char *message, size_t length)
{
	const unsigned char *at = message + 5, *end = message + length;
	struct agent *agent = data;
	size_t count = 0;

	if (message && (length < 5 || message[0] != IDENTITIES_ANSWER))
		snprintf(agent->problem, sizeof(agent->problem),
			 "the agent at '%.160s' does not tell its keys", agent->path);
	else if (message)
		count = read_length(message + 1);
	for (size_t i = 0; i < count && i < KEYS_MAX; i++) {
		size_t blob_length, comment_length;
		const unsigned char *blob = take_string(&at, end, &blob_length);

		if (!blob || !take_string(&at, end, &comment_length))
			break;
		add_key(agent, blob, blob_length);
	}
	agent->ready = true;
	for (size_t i = 0; i < agent->waiting_count; i++)
		loop_add_task(agent->loop, agent->waiting[i]);
	agent->waiting_count = 0;
}

bool agent_is_ready(struct agent *agent, struct task *wake)
{
	static const unsigned char message[] = {REQUEST_IDENTITIES};

	if (!agent->asked) {
		agent->asked = true;
		agent_ask(agent, message, sizeof(message), know_keys, agent);
	}
	if (agent->ready)
		return true;
	for (size_t i = 0; i < agent->waiting_count; i++)
		if (agent->waiting[i] == wake)
			return false;
	agent->waiting = memory_grow(agent->waiting, agent->waiting_count, &agent->waiting_capacity,
				     sizeof(*agent->waiting));
	agent->waiting[agent->waiting_count++] = wake;
	return false;
}

void agent_forget(struct agent *agent, struct task *wake)
{
	for (size_t i = 0; i < agent->waiting_count; i++)
		if (agent->waiting[i] == wake)
			agent->waiting[i--] = agent->waiting[--agent->waiting_count];
}

const struct agent_key *agent_keys(const struct agent *agent, size_t *ret_count,
				   const char **ret_problem)
{
	*ret_count = agent->key_count;
	*ret_problem = *agent->problem ? agent->problem : NULL;
	return agent->keys;
}

/* ---- the whole ---- */

struct agent *agent_new(struct loop *loop, const char *path)
{
	struct agent *agent = memory_new(1, sizeof(*agent));

	agent->loop = loop;
	agent->path = memory_copy(path);
	agent->watch.fd = -1;
	agent->end = &agent->first;
	return agent;
}

const char *agent_path(const struct agent *agent)
{
	return agent->path;
}

void agent_free(struct agent *agent)
{
	if (!agent)
		return;
	for (struct agent_request *request = agent->first; request; request = request->next)
		request->done = NULL;
	give_up(agent, "");
	for (size_t i = 0; i < agent->key_count; i++)
		memory_free(agent->keys[i].blob);
	memory_free(agent->keys);
	memory_free(agent->waiting);
	memory_free(agent->in);
	memory_free(agent->path);
	memory_free(agent);
}
