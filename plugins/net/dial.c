/* SPDX-License-Identifier: Apache-2.0 */
#include "dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND_NS INT64_C(1000000)
/* The resolver cannot be polled: it is looked at this often. */
#define LOOK_NS (20 * MILLISECOND_NS)

int64_t net_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int net_refuse(struct spk_reason_buffer *reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason->text, sizeof(reason->text), format, args);
	va_end(args);
	for (char *at = reason->text; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return -1;
}

const char *net_setting(const struct spk_driver_setting *settings, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(settings[i].name, name) == 0)
			return settings[i].value;
	return NULL;
}

enum net_wait net_wait(int fd, short events, const struct spk_notify_call *call)
{
	struct pollfd fds[] = {
		{.fd = call->cancel_fd, .events = POLLIN},
		{.fd = fd, .events = events},
	};

	for (;;) {
		int64_t left = call->deadline_ns - net_now();
		/* Rounded up, and no longer than a second: poll() does not count a suspended
		 * machine. */
		int timeout = left > 1000 * MILLISECOND_NS ? 1000
							   : (int)(left / MILLISECOND_NS) + 1;

		/* What is there already counts, however late it is. */
		if (poll(fds, 2, left > 0 ? timeout : 0) > 0)
			return fds[0].revents ? NET_CANCELLED : NET_READY;
		if (left <= 0)
			return NET_TIMEOUT;
	}
}

/* ---- names ---- */

/* A request of the resolver's, which may go on when nobody waits for it any more. */
struct lookup {
	struct gaicb request;
	struct addrinfo hints;
	char host[256], port[32];
};

static void lookup_free(struct lookup *lookup)
{
	if (lookup->request.ar_result)
		freeaddrinfo(lookup->request.ar_result);
	free(lookup);
}

/* Has the resolver's own thread ask. EAI_INPROGRESS: the time is over, and `lookup` left to it. */
static int look_up(struct lookup *lookup, struct spk_notify_call *call)
{
	struct gaicb *list[] = {&lookup->request};
	int rc = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);

	if (rc != 0)
		return rc;
	while ((rc = gai_error(&lookup->request)) == EAI_INPROGRESS) {
		struct spk_notify_call look = *call;
		int64_t until = net_now() + LOOK_NS;

		if (until < look.deadline_ns)
			look.deadline_ns = until;
		if (net_wait(-1, 0, &look) == NET_CANCELLED || net_now() >= call->deadline_ns)
			break;
	}
	if (rc == EAI_INPROGRESS)
		rc = gai_cancel(&lookup->request) == EAI_CANCELED ? EAI_CANCELED : EAI_INPROGRESS;
	return rc;
}

/* *ret_lookup is freed by lookup_free(). */
static int resolve(const char *host, const char *port, struct lookup **ret_lookup,
		   struct spk_notify_call *call)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	int rc = EAI_MEMORY;

	if (lookup) {
		snprintf(lookup->host, sizeof(lookup->host), "%s", host);
		snprintf(lookup->port, sizeof(lookup->port), "%s", port);
		lookup->hints = (struct addrinfo){.ai_socktype = SOCK_STREAM,
						  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
		lookup->request = (struct gaicb){.ar_name = lookup->host,
						 .ar_service = lookup->port,
						 .ar_request = &lookup->hints};
		/* An address needs no resolver. */
		rc = getaddrinfo(lookup->host, lookup->port, &lookup->hints,
				 &lookup->request.ar_result);
	}
	if (rc == EAI_NONAME) {
		lookup->hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
		rc = look_up(lookup, call);
	}
	if (rc == 0) {
		*ret_lookup = lookup;
		return 0;
	}
	net_refuse(&call->reason, "cannot find '%s': %s", host,
		   rc == EAI_INPROGRESS || rc == EAI_CANCELED ? "no answer in time"
							      : gai_strerror(rc));
	if (lookup && rc != EAI_INPROGRESS)
		lookup_free(lookup);
	return -1;
}

/* ---- connections ---- */

/* -1: errno says why. */
static int connect_to(const struct addrinfo *address, const struct spk_notify_call *call)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t length = sizeof(int);
	int error = 0;

	if (fd < 0)
		return -1;
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	error = errno;
	if (error == EINPROGRESS) {
		switch (net_wait(fd, POLLOUT, call)) {
		case NET_READY:
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
			break;
		case NET_TIMEOUT:
			error = ETIMEDOUT;
			break;
		case NET_CANCELLED:
			error = ECANCELED;
			break;
		}
	}
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

static size_t count_addresses(const struct addrinfo *address)
{
	size_t count = 0;

	for (; address; address = address->ai_next)
		count++;
	return count;
}

int net_dial(const char *host, const char *port, struct spk_notify_call *call)
{
	struct lookup *lookup;
	size_t left;
	int fd = -1;

	if (resolve(host, port, &lookup, call) < 0)
		return -1;
	left = count_addresses(lookup->request.ar_result);
	errno = ETIMEDOUT;
	for (const struct addrinfo *address = lookup->request.ar_result;
	     address && fd < 0 && errno != ECANCELED; address = address->ai_next, left--) {
		struct spk_notify_call share = *call;
		int64_t now = net_now();

		share.deadline_ns = now + (call->deadline_ns - now) / (int64_t)left;
		fd = connect_to(address, &share);
	}
	if (fd < 0)
		net_refuse(&call->reason, "cannot connect to %s port %s: %s", host, port,
			   strerrordesc_np(errno));
	lookup_free(lookup);
	return fd;
}

int net_send(int fd, const char *bytes, size_t length, struct spk_notify_call *call)
{
	while (length > 0) {
		ssize_t done = send(fd, bytes, length, MSG_NOSIGNAL);

		if (done >= 0) {
			bytes += done;
			length -= (size_t)done;
		} else if (errno != EAGAIN && errno != EINTR) {
			return net_refuse(&call->reason, "cannot send: %s", strerrordesc_np(errno));
		} else if (net_wait(fd, POLLOUT, call) != NET_READY) {
			return net_refuse(&call->reason, "it does not take what is sent");
		}
	}
	return 0;
}
