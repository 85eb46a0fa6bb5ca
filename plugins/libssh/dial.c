/* SPDX-License-Identifier: Apache-2.0 */
#include "dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../net/dial.h"
#include "../base/memory.h"

struct dial {
	struct grave grave;
	struct loop *loop;
	char *host, *source;
	int port;
	bool keep_alive;
	int64_t deadline_ns;
	struct lookup *lookup;
	struct addrinfo *addresses;
	const struct addrinfo *next; /* to be tried */
	struct watch watch;          /* of the one that is being tried */
	struct timer timer;          /* of it, too */
	struct task task;            /* to go on */
	int error;                   /* of the last one */
	int code;                    /* of getaddrinfo() */
	dial_done *done;
	void *data;
};

#define OWNER(member, pointer)                                                                     \
	((struct dial *)(void *)((char *)(pointer)-offsetof(struct dial, member)))

static void free_dial(struct grave *grave)
{
	struct dial *dial = (struct dial *)(void *)grave;

	if (dial->addresses)
		freeaddrinfo(dial->addresses);
	memory_free(dial->host);
	memory_free(dial->source);
	memory_free(dial);
}

static void give_up_socket(struct dial *dial)
{
	loop_stop_timer(dial->loop, &dial->timer);
	loop_unwatch(dial->loop, &dial->watch);
	if (dial->watch.fd >= 0)
		close(dial->watch.fd);
	dial->watch.fd = -1;
}

void dial_cancel(struct dial *dial)
{
	if (!dial)
		return;
	if (dial->lookup)
		lookup_cancel(dial->lookup);
	give_up_socket(dial);
	loop_drop_task(dial->loop, &dial->task);
	dial->grave.bury = free_dial;
	loop_bury(dial->loop, &dial->grave);
}

static void set_option(int fd, int level, int name)
{
	int on = 1;

	setsockopt(fd, level, name, &on, sizeof(on));
}

void dial_hurry(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_QUICKACK);
}

/* ---- the end ---- */

static void fail(struct dial *dial)
{
	dial_done *done = dial->done;
	void *data = dial->data;
	struct end end = {0};

	if (dial->code != 0)
		end_set(&end, SPK_TRANSPORT_UNREACHABLE, "cannot find '%s': %s", dial->host,
			gai_strerror(dial->code));
	else
		end_set(&end,
			dial->error == EMFILE || dial->error == ENFILE ? SPK_TRANSPORT_FAILED
								       : SPK_TRANSPORT_UNREACHABLE,
			"cannot connect to %s port %d: %s", dial->host, dial->port,
			strerrordesc_np(dial->error));
	dial_cancel(dial);
	done(data, -1, &end);
}

static void succeed(struct dial *dial)
{
	dial_done *done = dial->done;
	void *data = dial->data;
	int fd = dial->watch.fd;

	loop_unwatch(dial->loop, &dial->watch);
	dial->watch.fd = -1;
	dial_cancel(dial);
	done(data, fd, NULL);
}

/* ---- one address after the other ---- */

static void try_next(struct dial *dial);

static void ready(struct watch *watch, uint32_t events)
{
	struct dial *dial = OWNER(watch, watch);
	socklen_t length = sizeof(dial->error);

	if (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &dial->error, &length) < 0)
		dial->error = errno;
	if (dial->error == 0) {
		succeed(dial);
		return;
	}
	give_up_socket(dial);
	try_next(dial);
}

static void run_out(struct timer *timer)
{
	struct dial *dial = OWNER(timer, timer);

	dial->error = ETIMEDOUT;
	give_up_socket(dial);
	try_next(dial);
}

/* Binds to the address of ours, which must be of the family. */
static int bind_source(int fd, const struct dial *dial, int family)
{
	struct addrinfo hints = {.ai_family = family,
				 .ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICHOST | AI_PASSIVE};
	struct addrinfo *found;
	int rc;

	if (!dial->source)
		return 0;
	if (getaddrinfo(dial->source, NULL, &hints, &found) != 0) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	rc = bind(fd, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return rc;
}

/* The error when it cannot work. */
static int begin_with(struct dial *dial, const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	dial->watch.fd = fd;
	if (fd < 0 || bind_source(fd, dial, address->ai_family) < 0)
		return errno;
	set_option(fd, IPPROTO_TCP, TCP_NODELAY);
	if (dial->keep_alive)
		set_option(fd, SOL_SOCKET, SO_KEEPALIVE);
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS)
		return errno;
	dial_hurry(fd);
	dial->watch.ready = ready;
	return loop_watch(dial->loop, &dial->watch, EPOLLOUT) ? 0 : errno;
}

static int64_t share_of_time(const struct dial *dial, const struct addrinfo *from)
{
	const int64_t now = net_now();
	int left = 0;

	for (; from; from = from->ai_next)
		left++;
	return now + (dial->deadline_ns - now) / left;
}

static void try_next(struct dial *dial)
{
	while (dial->next) {
		const struct addrinfo *address = dial->next;
		const int64_t until = share_of_time(dial, address);

		dial->next = address->ai_next;
		dial->error = begin_with(dial, address);
		if (dial->error == 0) {
			loop_set_timer(dial->loop, &dial->timer, until);
			return;
		}
		give_up_socket(dial);
	}
	fail(dial);
}

/* ---- names ---- */

static void go_on(struct task *task)
{
	struct dial *dial = OWNER(task, task);

	dial->next = dial->addresses;
	if (dial->code == 0)
		try_next(dial);
	else
		fail(dial);
}

static void found(void *data, int code, struct addrinfo *addresses)
{
	struct dial *dial = data;

	dial->lookup = NULL;
	dial->code = code;
	dial->addresses = addresses;
	go_on(&dial->task);
}

struct dial *dial_begin(struct loop *loop, struct resolver *resolver,
			const struct dial_place *place, int64_t deadline_ns, dial_done *done,
			void *data)
{
	struct addrinfo hints = {.ai_family = place->family,
				 .ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct dial *dial = memory_new(1, sizeof(*dial));
	char port[16];

	*dial = (struct dial){.loop = loop,
			      .host = memory_copy(place->host),
			      .source = place->source ? memory_copy(place->source) : NULL,
			      .port = place->port,
			      .keep_alive = place->keep_alive,
			      .deadline_ns = deadline_ns,
			      .watch = {.fd = -1},
			      .timer = {.fire = run_out},
			      .task = {.run = go_on},
			      .done = done,
			      .data = data};
	snprintf(port, sizeof(port), "%d", place->port);
	/* An address needs no resolver. */
	if (getaddrinfo(place->host, port, &hints, &dial->addresses) == 0) {
		loop_add_task(loop, &dial->task);
	} else {
		dial->addresses = NULL;
		dial->lookup = resolver_ask(resolver, place->host, port, place->family, found,
					    dial);
	}
	return dial;
}
