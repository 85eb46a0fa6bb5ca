/* SPDX-License-Identifier: Apache-2.0 */
#include "attend.h"

#include <poll.h>
#include <time.h>

#include "dial.h"

#define NS_PER_SECOND INT64_C(1000000000)

/* Until c-ares wants to be called again, something arrives, it is `until_ns`, or cancelled. */
static enum attend_end attend_once(ares_channel channel, int64_t until_ns, int cancel_fd)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	struct pollfd fds[ARES_GETSOCK_MAXNUM + 1];
	struct timeval left = {0}, timeout, *soonest;
	unsigned wanted = (unsigned)ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
	int64_t span = until_ns - net_now();
	struct timespec most;
	nfds_t count = 0;

	if (span <= 0)
		return ATTEND_TIMEOUT;
	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		/* The library's macros for these bits shift one into the sign. */
		int events = (wanted >> i & 1 ? POLLIN : 0) |
			     (wanted >> (ARES_GETSOCK_MAXNUM + i) & 1 ? POLLOUT : 0);

		if (events)
			fds[count++] = (struct pollfd){.fd = sockets[i], .events = (short)events};
	}
	fds[count] = (struct pollfd){.fd = cancel_fd, .events = POLLIN};
	left.tv_sec = span / NS_PER_SECOND;
	left.tv_usec = span % NS_PER_SECOND / 1000;
	soonest = ares_timeout(channel, &left, &timeout);
	most = (struct timespec){soonest->tv_sec, soonest->tv_usec * 1000};
	ppoll(fds, count + 1, &most, NULL);
	if (fds[count].revents)
		return ATTEND_CANCELLED;
	for (nfds_t i = 0; i < count; i++) {
		short is = fds[i].revents;

		ares_process_fd(channel, is & ~POLLOUT ? fds[i].fd : ARES_SOCKET_BAD,
				is & POLLOUT ? fds[i].fd : ARES_SOCKET_BAD);
	}
	ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	return ATTEND_DONE;
}

enum attend_end attend(ares_channel channel, const bool *over, int64_t until_ns, int cancel_fd)
{
	enum attend_end end = ATTEND_DONE;

	while (!*over && end == ATTEND_DONE)
		end = attend_once(channel, until_ns, cancel_fd);
	return end;
}
